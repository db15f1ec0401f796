#include "services/workout/activity/fit/fit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "services/workout/activity/fit/assemble.hpp"
#include "services/workout/activity/fit/crc.hpp"
#include "services/workout/activity/fit/decoder.hpp"
#include "services/workout/activity/fit/samples.hpp"
#include "services/workout/activity/fit/soundness.hpp"
#include "services/workout/activity/fit/stable_sort.hpp"

namespace ekiden::activity {
namespace {

using namespace fit;

/// What has been read of a file so far.
struct FileState {
  std::vector<Activity> activities;
  std::vector<Beat> beats;
  std::optional<Error> refusal;  ///< why the first sequence without an activity has none
  std::size_t sequences = 0;
  std::size_t points = 0;
};

Error not_an_activity(std::string what, std::size_t offset) {
  return fit_error(Errc::invalid, "not-an-activity", what, offset);
}

/// Whether the sequence claims to be an activity, or looks like one where it claims nothing.
std::optional<Error> refuse_other_files(const Recording& recording) {
  const double type = recording.file_id ? (*recording.file_id)[file_id::type] : kAbsentValue;
  if (type == kActivityFile) return std::nullopt;
  if (!std::isnan(type)) {
    const std::string name = file_type_name(static_cast<int>(type));
    return not_an_activity("The FIT file is of type \"" + name + "\", not an activity", recording.offset);
  }
  const bool has_session = std::ranges::any_of(
      recording.sessions, [](const Slots& session) { return session[total::elapsed] > 0; });
  if (has_session || recording.samples.size() > 1) return std::nullopt;
  return not_an_activity("The FIT file does not say what it is, and holds no activity", recording.offset);
}

/// Decodes a sequence. With a wrong checksum, what can be read must also agree with itself.
Result<Recording> read_sequence(std::string_view bytes, std::size_t offset, const Header& header,
                                const ParseLimits& limits, bool& crc_is_wrong) {
  const std::size_t begin = offset + header.size;
  const std::size_t end = begin + header.data_size;
  crc_is_wrong = crc16(bytes.substr(offset, header.size + header.data_size + 2)) != 0;
  Result<Recording> recording = decode_sequence(bytes, begin, end, limits);
  if (!crc_is_wrong) return recording;
  if (!recording && recording.error().code() == Errc::too_large) return recording;
  if (recording && limits.forgive_fit_checksum && agrees_with_itself(*recording)) return recording;
  const Error wrong = fit_error(Errc::invalid, "fit-bad-crc", "The checksum of the FIT file is wrong", end);
  if (recording) return wrong;
  return Error{wrong.code(), wrong.slug(), wrong.text() + " " + recording.error().text(), wrong.field()};
}

Result<void> take_sequence(Recording&& recording, bool crc_is_wrong, const ParseLimits& limits,
                           FileState& state) {
  state.points += recording.samples.size();
  if (state.points > limits.points_max) {
    return fit_error(Errc::too_large, "too-many-points", "The FIT file holds more points than are taken",
                     recording.offset);
  }
  state.beats.insert(state.beats.end(), recording.beats.begin(), recording.beats.end());
  const std::size_t offset = recording.offset;
  std::optional<Error> refusal = refuse_other_files(recording);
  std::vector<Activity> found;
  if (!refusal) {
    found = assemble(std::move(recording));
    if (found.empty()) refusal = not_an_activity("The FIT file holds neither a record nor a session", offset);
  }
  if (refusal && !state.refusal) state.refusal = std::move(refusal);
  for (Activity& activity : found) {
    if (crc_is_wrong && activity.warnings.size() < 16) {
      activity.warnings.emplace_back("The file's checksum is wrong; all its messages could be read.");
    }
    state.activities.push_back(std::move(activity));
  }
  if (state.activities.size() > limits.activities_max) {
    return fit_error(Errc::too_large, "too-many-activities",
                     "The FIT file holds more activities than are taken", offset);
  }
  return {};
}

}  // namespace

Result<std::vector<Activity>> parse_fit(std::string_view bytes, const ParseLimits& limits) {
  FileState state;
  std::size_t offset = 0;
  do {
    if (++state.sequences > limits.fit_sequences_max) {
      return fit_error(Errc::too_large, "fit-too-many-sequences",
                       "The FIT file chains more sequences than are taken", offset);
    }
    EKIDEN_TRY(const Header header, read_header(bytes, offset));
    bool crc_is_wrong = false;
    EKIDEN_TRY(Recording recording, read_sequence(bytes, offset, header, limits, crc_is_wrong));
    EKIDEN_CHECK(take_sequence(std::move(recording), crc_is_wrong, limits, state));
    offset += header.size + header.data_size + 2;
  } while (looks_like_header(bytes, offset));

  if (state.activities.empty()) return *std::move(state.refusal);
  stable_sort_by(state.beats, &Beat::time_ms);
  for (Activity& activity : state.activities) merge_beats(state.beats, activity.samples);
  return std::move(state.activities);
}

}  // namespace ekiden::activity
