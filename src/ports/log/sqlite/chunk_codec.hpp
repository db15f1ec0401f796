#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log::sqlite {

/// Adds a message to a chunk's body. Its layout is told in docs/formats/embedded-log.md.
void append_to_chunk(std::string& body, const Message& message);

/// Adds the records of a chunk to `out`, from the offset `from` on, as long as there are fewer than `max`.
/// @errors internal: the bytes are damaged.
Result<void> decode_chunk(std::string_view body, const TopicPartition& at, std::int64_t first_offset,
                          Timestamp appended_at, std::int64_t from, std::size_t max,
                          std::vector<Record>& out);

}  // namespace ekiden::log::sqlite
