#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden::activity {

/// `text` without the white space of XML (space, tab, line ends) around it.
std::string_view trim(std::string_view text);

/// The number that the whole of `text` is, white space around it left out; nullopt where it is none, is not
/// finite, or is longer than 64 bytes. A leading `+` and an exponent are read; hexadecimal, `NaN`, `inf` are
/// not. The result is the double nearest to the decimal text. @threads any
/// @source Clinger 1990 for the short numbers; std::from_chars for the others.
std::optional<double> parse_number(std::string_view text);

/// A point in time as a file writes it.
struct FileTime {
  std::int64_t unix_ms = 0;                        ///< since 1970 in UTC, rounded down
  std::optional<std::chrono::minutes> utc_offset;  ///< where one is written that is not 0: `Z` says nothing
};

/// Reads RFC 3339 times, one after another; remembers the last day, which is usually the next one's too.
/// @threads one at a time
class TimeReader {
 public:
  /// `2021-01-07T21:51:59.179+01:15`; the fraction and the offset may be absent (no offset means UTC), a
  /// space may stand for `T`, white space may be around it. Years 0000 to 9999, offsets up to 23:59, second
  /// 60 is the next minute's first. nullopt for all else.
  std::optional<FileTime> parse(std::string_view text);

 private:
  bool has_day_ = false;
  std::uint64_t year_month_ = 0;  // the first eight bytes of the last text
  std::uint16_t day_ = 0;
  std::int64_t day_ms_ = 0;
};

/// Milliseconds since 1970 as `2021-01-07T20:36:59.179Z`, the fraction only where it is not 0.
/// @param unix_ms  within the years 0000 to 9999.
std::string format_time(std::int64_t unix_ms);

/// `text` as a title or note may be kept: UTF-8 of at most `bytes_max` bytes, cut between characters; control
/// characters become spaces, white space around it goes.
/// @param text  UTF-8.
std::string plain_text(std::string_view text, std::size_t bytes_max);

}  // namespace ekiden::activity
