#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// Uploaded originals, by the hash of their content. The same content is kept once.
namespace ekiden::blobs {

/// SHA-256 of the content.
struct Hash {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Hash&, const Hash&) = default;
  /// 64 digits in lower case.
  std::string to_hex() const;
  /// @errors nullopt where `text` is not what `to_hex` writes.
  static std::optional<Hash> parse_hex(std::string_view text);
  std::string_view as_view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// A blob on its way in: write pieces, then `commit`. Dropped without a commit, it leaves nothing behind.
/// It does not outlive its Blobs. @threads one at a time; blocks for the disk or the network.
class Writer {
 public:
  virtual ~Writer() = default;
  /// @errors storage_full, unavailable: the writer is then lost.
  virtual Result<void> write(std::string_view piece) = 0;
  /// Makes it durable under its hash; a blob that was there already is left as it is. Once only.
  /// @errors storage_full, unavailable: the writer is lost; the blob may be there, and may not be durable.
  ///         internal: written or committed after the writer was lost or had committed.
  virtual Result<Hash> commit() = 0;
  /// Bytes written so far.
  virtual std::int64_t size() const = 0;
};

/// A file of this process that is to become a blob.
struct Incoming {
  std::filesystem::path path;
  Hash hash;  ///< of its content, as the caller has computed it
  std::int64_t size = 0;
};

/// A blob's content, to be read at any place. @threads any: it does not change
class Content {
 public:
  virtual ~Content() = default;
  /// All of it; stays while this object lives.
  virtual std::string_view bytes() const = 0;
};

/// @threads any; blocks: pool threads, or runtime::offload.
class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual Result<std::unique_ptr<Writer>> create() = 0;
  /// Makes blobs of whole files, for many as cheaply as for one: when it returns, all are durable. The files
  /// stay where they are, the caller's to remove; none may be written any more.
  /// @errors storage_full, unavailable: some blobs may be there, and may not be durable.
  ///         internal: a file's content is not what its hash says (only where it had to be copied).
  virtual Result<void> adopt(std::span<const Incoming> files);
  /// Whole content in one go, for small ones.
  Result<Hash> put(std::string_view content);
  /// Reads up to `into.size()` bytes from `offset` on; 0 at the end and beyond.
  /// @errors not_found; invalid: the offset is below 0; unavailable.
  virtual Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const = 0;
  virtual Result<std::int64_t> size(const Hash& hash) const = 0;
  /// The content, at most `max` bytes. @errors too_large, not_found.
  Result<std::string> get(const Hash& hash, std::int64_t max) const;
  /// The content to read in place, at most `max` bytes: mapped where the store has it as a file, so that it
  /// takes no memory of its own. Removing the blob does not take it away from who has opened it. Errors as
  /// `get`.
  virtual Result<std::unique_ptr<Content>> open(const Hash& hash, std::int64_t max) const;
  /// True where it was there. Who else refers to it is the caller's to know.
  virtual Result<bool> remove(const Hash& hash) = 0;
};

/// What `get` and `open` answer where a blob is larger than asked for.
Error too_large();

}  // namespace ekiden::blobs
