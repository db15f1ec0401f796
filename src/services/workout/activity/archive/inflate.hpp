#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ekiden::activity {

/// What decompression may use up.
struct InflateLimits {
  std::uint64_t bytes_max = (std::uint64_t{1} << 30U) - 1;  ///< of one file, decompressed: below 1 GiB
  std::uint64_t ratio_max = 200;                            ///< decompressed bytes for a compressed one …
  std::uint64_t ratio_free_bytes = std::uint64_t{1}
                                   << 20U;  ///< … once this many have come out. Real files stay below 40.
};

/// Takes decompressed bytes as they come, in pieces of at most 64 KiB that are gone when it returns; an error
/// ends it.
using Sink = std::function<Result<void>(std::string_view)>;

/// A refusal of a compressed file or of one of its entries: invalid, `bad-archive`, field `file`.
Error bad_archive(std::string text);

/// How the compressed bytes are wrapped.
enum class Wrapping : std::uint8_t { gzip, raw_deflate };

/// What one stream came to.
struct Inflated {
  std::uint64_t bytes_in;  ///< compressed bytes that were used, wrapping included
  std::uint64_t bytes_out;
  std::uint32_t crc;  ///< CRC-32 of what came out
};

/// Decompresses one deflate stream (one gzip member) from the start of `bytes` into `sink`.
/// What comes out must not itself be a gzip or zip file: archives are opened one level deep.
/// @param before  what other members of the same file have used and given so far; the limits hold for the
/// sum.
/// @errors invalid bad-archive: damaged, cut short, nested, beyond a limit. Parts may have gone to the sink.
///         what the sink returns.
/// @threads any
Result<Inflated> inflate_into(std::string_view bytes, Wrapping wrapping, const InflateLimits& limits,
                              const Inflated& before, const Sink& sink);

}  // namespace ekiden::activity
