#include "services/workout/domain/upload.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "http/digest.hpp"
#include "http/problem.hpp"

namespace ekiden::workout {

namespace {

constexpr std::array<std::string_view, 5> kUploadWords = {"queued", "processing", "ready", "failed",
                                                          "duplicate"};
constexpr std::array<std::string_view, 5> kFileWords = {"queued", "ready", "failed", "duplicate", "unpacked"};

template <class Enum>
Enum parse_word(const std::array<std::string_view, 5>& words, std::string_view text) {
  const auto* const found = std::ranges::find(words, text);
  if (found == words.end()) throw std::logic_error("an upload's status is none");
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view to_string(UploadStatus status) {
  return kUploadWords[static_cast<std::size_t>(status)];
}
std::string_view to_string(FileStatus status) {
  return kFileWords[static_cast<std::size_t>(status)];
}
UploadStatus upload_status(std::string_view text) {
  return parse_word<UploadStatus>(kUploadWords, text);
}
FileStatus file_status(std::string_view text) {
  return parse_word<FileStatus>(kFileWords, text);
}

Problem problem_of(const Error& error) {
  const int status = http::status_of(error.code());
  Problem problem{.type = "urn:ekiden:" + error.slug(),
                  .title = std::string(http::reason_phrase(status)),
                  .status = status,
                  .detail = error.text(),
                  .field = {}};
  // What went wrong inside is for the log, not for the uploader.
  if (error.code() == Errc::internal) problem.detail = "The file could not be processed; the fault is ours.";
  if (!error.field().empty()) problem.field = error.field();
  return problem;
}

UploadStatus outcome_of(std::int64_t ready, std::int64_t duplicate) {
  if (ready > 0) return UploadStatus::ready;
  return duplicate > 0 ? UploadStatus::duplicate : UploadStatus::failed;
}

blobs::Hash content_hash_of(std::vector<blobs::Hash> hashes) {
  if (hashes.size() == 1) return hashes.front();
  std::ranges::sort(hashes);
  std::string all;
  all.reserve(hashes.size() * sizeof(blobs::Hash));
  for (const blobs::Hash& hash : hashes) all += hash.as_view();
  blobs::Hash sum;
  std::ranges::transform(http::sha256(all), sum.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return sum;
}

}  // namespace ekiden::workout
