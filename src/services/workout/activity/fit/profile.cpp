#include "services/workout/activity/fit/profile.hpp"

#include <array>

namespace ekiden::activity::fit {
namespace {

constexpr FieldSpec kTime{.number = 253, .slot = kTimestamp};

constexpr std::array kOtherFields{kTime};

constexpr std::array kFileIdFields{
    FieldSpec{.number = 0, .slot = file_id::type},
    FieldSpec{.number = 1, .slot = file_id::manufacturer},
    FieldSpec{.number = 2, .slot = file_id::product},
    FieldSpec{.number = 3, .slot = file_id::serial_number},
    FieldSpec{.number = 4, .slot = file_id::time_created},
    kTime,
};

constexpr std::array kSportFields{
    FieldSpec{.number = 0, .slot = sport_message::sport},
    FieldSpec{.number = 1, .slot = sport_message::sub_sport},
    kTime,
};

constexpr std::array kSessionFields{
    FieldSpec{.number = 2, .slot = total::start_time},
    FieldSpec{.number = 5, .slot = total::sport},
    FieldSpec{.number = 6, .slot = total::sub_sport},
    FieldSpec{.number = 7, .slot = total::elapsed, .scale = 1000},
    FieldSpec{.number = 8, .slot = total::timer, .scale = 1000},
    FieldSpec{.number = 9, .slot = total::distance, .scale = 100},
    FieldSpec{.number = 11, .slot = total::calories},
    FieldSpec{.number = 15, .slot = total::max_speed, .scale = 1000},
    FieldSpec{.number = 16, .slot = total::average_heart_rate},
    FieldSpec{.number = 17, .slot = total::max_heart_rate},
    FieldSpec{.number = 18, .slot = total::average_cadence},
    FieldSpec{.number = 20, .slot = total::average_power},
    FieldSpec{.number = 22, .slot = total::ascent},
    FieldSpec{.number = 23, .slot = total::descent},
    FieldSpec{.number = 33, .slot = total::active_lengths},
    FieldSpec{.number = 44, .slot = total::pool_length, .scale = 100},
    FieldSpec{.number = 59, .slot = total::moving, .scale = 1000},
    FieldSpec{.number = 92, .slot = total::average_fractional_cadence, .scale = 128},
    FieldSpec{.number = 125, .slot = total::enhanced_max_speed, .scale = 1000},
    kTime,
};

constexpr std::array kLapFields{
    FieldSpec{.number = 2, .slot = total::start_time},
    FieldSpec{.number = 7, .slot = total::elapsed, .scale = 1000},
    FieldSpec{.number = 8, .slot = total::timer, .scale = 1000},
    FieldSpec{.number = 9, .slot = total::distance, .scale = 100},
    FieldSpec{.number = 11, .slot = total::calories},
    FieldSpec{.number = 14, .slot = total::max_speed, .scale = 1000},
    FieldSpec{.number = 15, .slot = total::average_heart_rate},
    FieldSpec{.number = 16, .slot = total::max_heart_rate},
    FieldSpec{.number = 25, .slot = total::sport},
    FieldSpec{.number = 39, .slot = total::sub_sport},
    FieldSpec{.number = 111, .slot = total::enhanced_max_speed, .scale = 1000},
    kTime,
};

constexpr std::array kRecordFields{
    FieldSpec{.number = 0, .slot = record::latitude},
    FieldSpec{.number = 1, .slot = record::longitude},
    FieldSpec{.number = 2, .slot = record::altitude, .scale = 5, .offset = 500},
    FieldSpec{.number = 3, .slot = record::heart_rate},
    FieldSpec{.number = 4, .slot = record::cadence},
    FieldSpec{.number = 5, .slot = record::distance, .scale = 100},
    FieldSpec{.number = 6, .slot = record::speed, .scale = 1000},
    FieldSpec{.number = 7, .slot = record::power},
    FieldSpec{.number = 8, .slot = record::kCompressedSpeedDistance, .raw = true},
    FieldSpec{.number = 13, .slot = record::temperature},
    FieldSpec{.number = 52, .slot = record::cadence256, .scale = 256},
    FieldSpec{.number = 53, .slot = record::fractional_cadence, .scale = 128},
    FieldSpec{.number = 73, .slot = record::enhanced_speed, .scale = 1000},
    FieldSpec{.number = 78, .slot = record::enhanced_altitude, .scale = 5, .offset = 500},
    kTime,
};

constexpr std::array kEventFields{
    FieldSpec{.number = 0, .slot = event::event},
    FieldSpec{.number = 1, .slot = event::event_type},
    kTime,
};

constexpr std::array kActivityFields{
    FieldSpec{.number = 1, .slot = activity_message::sessions},
    FieldSpec{.number = 5, .slot = activity_message::local_timestamp},
    kTime,
};

constexpr std::array kLengthFields{
    FieldSpec{.number = 2, .slot = length::start_time},
    FieldSpec{.number = 3, .slot = length::elapsed, .scale = 1000},
    FieldSpec{.number = 12, .slot = length::type},
    kTime,
};

constexpr std::array kHrFields{
    FieldSpec{.number = 0, .slot = hr::fractional_timestamp, .scale = 32768},
    FieldSpec{.number = 1, .slot = hr::time256, .scale = 256},
    FieldSpec{.number = 6, .slot = hr::kFilteredBpm, .raw = true},
    FieldSpec{.number = 9, .slot = hr::kEventTimestamp, .raw = true},
    FieldSpec{.number = 10, .slot = hr::kEventTimestamp12, .raw = true},
    kTime,
};

constexpr std::array kFieldDescriptionFields{
    FieldSpec{.number = 0, .slot = field_description::developer_index},
    FieldSpec{.number = 1, .slot = field_description::field_number},
    kTime,
};

constexpr MessageSpec kOther{Message::other, kOtherFields};
constexpr MessageSpec kFileId{Message::file_id, kFileIdFields};
constexpr MessageSpec kSport{Message::sport, kSportFields};
constexpr MessageSpec kSession{Message::session, kSessionFields};
constexpr MessageSpec kLap{Message::lap, kLapFields};
constexpr MessageSpec kRecord{Message::record, kRecordFields};
constexpr MessageSpec kEvent{Message::event, kEventFields};
constexpr MessageSpec kActivity{Message::activity, kActivityFields};
constexpr MessageSpec kLength{Message::length, kLengthFields};
constexpr MessageSpec kHr{Message::hr, kHrFields};
constexpr MessageSpec kFieldDescription{Message::field_description, kFieldDescriptionFields};

}  // namespace

const MessageSpec& message_spec(std::uint16_t global_number) {
  switch (global_number) {
    case 0:
      return kFileId;
    case 12:
      return kSport;
    case 18:
      return kSession;
    case 19:
      return kLap;
    case 20:
      return kRecord;
    case 21:
      return kEvent;
    case 34:
      return kActivity;
    case 101:
      return kLength;
    case 132:
      return kHr;
    case 206:
      return kFieldDescription;
    default:
      return kOther;
  }
}

const char* file_type_name(int type) {
  switch (type) {
    case 1:
      return "device";
    case 2:
      return "settings";
    case 3:
      return "sport";
    case 4:
      return "activity";
    case 5:
      return "workout";
    case 6:
      return "course";
    case 7:
      return "schedules";
    case 9:
      return "weight";
    case 10:
      return "totals";
    case 11:
      return "goals";
    case 14:
      return "blood pressure";
    case 15:
    case 28:
    case 32:
      return "monitoring";
    case 20:
      return "activity summary";
    case 34:
      return "segment";
    case 35:
      return "segment list";
    case 40:
      return "device configuration";
    default:
      return "unknown";
  }
}

}  // namespace ekiden::activity::fit
