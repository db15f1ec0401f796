#include "ports/blobs/blobs.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

namespace ekiden::blobs {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;

class InMemory final : public Content {
 public:
  explicit InMemory(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string_view bytes() const override { return bytes_; }

 private:
  const std::string bytes_;
};

Result<void> copy(Blobs& blobs, const Incoming& file) {
  std::ifstream in(file.path, std::ios::binary);
  if (!in) return Error{Errc::unavailable, "file-unreadable", "the file cannot be read"};
  EKIDEN_TRY(const std::unique_ptr<Writer> writer, blobs.create());
  std::vector<char> piece(kPiece);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (in.bad()) return Error{Errc::unavailable, "file-unreadable", "the file cannot be read"};
    EKIDEN_CHECK(writer->write({piece.data(), static_cast<std::size_t>(in.gcount())}));
  }
  EKIDEN_TRY(const Hash hash, writer->commit());
  if (hash != file.hash) return Error{Errc::internal, "hash-differs", "the file is not what its hash says"};
  return {};
}

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

}  // namespace

std::string Hash::to_hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

std::optional<Hash> Hash::parse_hex(std::string_view text) {
  Hash hash;
  if (text.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const auto high = digit(text[2 * i]);
    const auto low = digit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return hash;
}

Result<Hash> Blobs::put(std::string_view content) {
  EKIDEN_TRY(const std::unique_ptr<Writer> writer, create());
  EKIDEN_CHECK(writer->write(content));
  return writer->commit();
}

Error too_large() {
  return {Errc::too_large, "blob-too-large", "the stored file is larger than asked for"};
}

Result<void> Blobs::adopt(std::span<const Incoming> files) {
  for (const Incoming& file : files) EKIDEN_CHECK(copy(*this, file));
  return {};
}

Result<std::unique_ptr<Content>> Blobs::open(const Hash& hash, std::int64_t max) const {
  EKIDEN_TRY(std::string bytes, get(hash, max));
  return std::unique_ptr<Content>(std::make_unique<InMemory>(std::move(bytes)));
}

Result<std::string> Blobs::get(const Hash& hash, std::int64_t max) const {
  EKIDEN_TRY(const std::int64_t total, size(hash));
  if (total > max) return too_large();
  std::string content(static_cast<std::size_t>(total), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    EKIDEN_TRY(const std::size_t got,
               read(hash, static_cast<std::int64_t>(filled), std::span(content).subspan(filled)));
    if (got == 0) return Error{Errc::internal, "blob-cut-short", "the stored file has become shorter"};
    filled += got;
  }
  return content;
}

}  // namespace ekiden::blobs
