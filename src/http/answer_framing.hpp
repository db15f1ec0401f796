#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/framing.hpp"

/// Where an answer begins and ends, read as strictly as a request: what two readers could take for two
/// different messages is refused.
namespace ekiden::http {

/// An answer's head as views into the bytes it was read from.
struct AnswerView {
  int status = 0;
  int version_minor = 1;
  std::optional<std::int64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  std::string_view connection;  ///< value of the Connection field

  std::array<FieldView, HeadView::kFieldsMax> field_array;
  std::size_t field_count = 0;

  std::span<const FieldView> fields() const { return {field_array.data(), field_count}; }
  /// The first field of this name (compared without case), or an empty view without data.
  std::string_view get(std::string_view name) const;
};

/// Reads a whole head (as find_head() measured it) into `view`. @returns why it is refused, in a few words
/// for a log; nullopt where it is good. @threads any; pure
std::optional<std::string_view> parse_answer_head(std::string_view bytes, const FramingLimits& limits,
                                                  AnswerView& view);

/// True for fields that concern one connection only and are not passed on: those that RFC 9110 7.6.1 names
/// and those that `connection` (the value of the Connection field) lists.
bool is_hop_by_hop(std::string_view name, std::string_view connection);

}  // namespace ekiden::http
