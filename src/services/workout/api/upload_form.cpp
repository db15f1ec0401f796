#include "services/workout/api/upload_form.hpp"

#include <algorithm>
#include <fstream>

#include "base/text.hpp"
#include "http/text.hpp"
#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/domain/limits.hpp"
#include "services/workout/store/blob_refs.hpp"
#include "services/workout/store/id_list.hpp"

namespace ekiden::workout {

namespace {

/// Enough for nearly every file.
constexpr std::size_t kHeadFirst = std::size_t{4} << 10U;
/// What `detect` looks at, at most.
constexpr std::size_t kHeadMax = std::size_t{1} << 20U;

Error unknown_value(std::string_view field, std::string_view choices) {
  return {Errc::invalid, "unknown-value", "give one of " + std::string(choices), std::string(field)};
}

Result<void> read_field(UploadWishes& wishes, std::string_view name, const std::string& value) {
  if (name == "name") {
    EKIDEN_TRY(wishes.name, clean_text(value, name, {.chars_max = kNameChars}));
    return {};
  }
  if (name == "external_id") {
    EKIDEN_TRY(wishes.external_id, clean_text(value, name, {.chars_max = kExternalIdChars}));
    return {};
  }
  if (name == "sport") {
    wishes.sport = activity::parse_sport(value);
    if (!wishes.sport) return unknown_value(name, "the sports, as `run`, `ride`, `swim`");
    return {};
  }
  if (name == "visibility") {
    wishes.visibility = parse_visibility(value);
    if (!wishes.visibility) return unknown_value(name, "everyone, followers, only_me");
    return {};
  }
  if (name == "gear_ids") return append_gear(wishes.gear_ids, value);
  return Error{Errc::invalid, "unknown-field", "an upload has no such field", std::string(name)};
}

Result<std::string> read_piece(std::ifstream& in, std::size_t size) {
  std::string piece;
  piece.resize_and_overwrite(size, [&in](char* data, std::size_t room) {
    in.read(data, static_cast<std::streamsize>(room));
    return static_cast<std::size_t>(in.gcount());
  });
  if (in.bad()) return Error{Errc::unavailable, "spool-unavailable", "the received file cannot be read"};
  return piece;
}

/// Why a received file cannot be one of ours, by its size and its first bytes.
Result<std::optional<Error>> look_at(const http::ReceivedFile& received) {
  if (received.size() == 0)
    return std::optional<Error>({Errc::invalid, "empty-file", "the file is empty", "file"});
  std::ifstream in(received.path(), std::ios::binary);
  if (!in) return Error{Errc::unavailable, "spool-unavailable", "the received file cannot be read"};
  EKIDEN_TRY(std::string head, read_piece(in, kHeadFirst));
  if (activity::detect(head) == activity::FileKind::unknown && in) {
    EKIDEN_TRY(const std::string more, read_piece(in, kHeadMax - kHeadFirst));
    head += more;
  }
  const auto kind = activity::detect_or_refuse(head);
  return kind ? std::nullopt : std::optional<Error>(kind.error());
}

UploadFile refuse(UploadFile file, const Error& error) {
  file.status = FileStatus::failed;
  file.problem = problem_of(error);
  return file;
}

}  // namespace

Result<void> append_gear(std::vector<Uuid>& gear_ids, std::string_view text) {
  while (!text.empty()) {
    const auto id = Uuid::parse(http::next_item(text));
    if (!id) return Error{Errc::invalid, "bad-id", "give ids of gear, separated by commas", "gear_ids"};
    if (std::ranges::find(gear_ids, *id) != gear_ids.end()) continue;
    if (gear_ids.size() == kGearMax) {
      return Error{Errc::invalid, "too-many", "a workout has at most 10 pieces of gear", "gear_ids"};
    }
    gear_ids.push_back(*id);
  }
  return {};
}

Result<UploadWishes> read_wishes(const http::Form& form, std::int64_t files_max) {
  UploadWishes wishes;
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : form.fields) {
    if (name != "gear_ids" && std::ranges::find(seen, name) != seen.end()) {
      return Error{Errc::invalid, "repeated-field", "this may be given once", name};
    }
    seen.push_back(name);
    EKIDEN_CHECK(read_field(wishes, name, value));
  }
  for (const http::ReceivedFile& file : form.files) {
    if (file.field() != "file") {
      return Error{Errc::invalid, "unknown-field", "files come in parts named `file`", file.field()};
    }
  }
  if (form.files.empty())
    return Error{Errc::invalid, "missing-file", "there is no part named `file` with a file name", "file"};
  if (std::cmp_greater(form.files.size(), files_max)) {
    return Error{Errc::invalid, "too-many-files", "at most " + std::to_string(files_max) + " files at once",
                 "file"};
  }
  return wishes;
}

std::string fingerprint(const UploadWishes& wishes, const std::vector<UploadFile>& files) {
  std::string text = wishes.name + '\0' + wishes.external_id + '\0';
  if (wishes.sport) text += activity::to_string(*wishes.sport);
  text += '\0';
  if (wishes.visibility) text += to_string(*wishes.visibility);
  text += '\0' + join_ids(wishes.gear_ids) + '\0';
  for (const UploadFile& file : files) {
    if (file.blob_hash) text += file.blob_hash->to_hex();
    text += '\0';
  }
  return text;
}

Result<std::vector<UploadFile>> store_files(const std::vector<http::ReceivedFile>& received,
                                            blobs::Blobs& blobs) {
  std::vector<UploadFile> files;
  std::vector<blobs::Incoming> kept;
  files.reserve(received.size());
  kept.reserve(received.size());
  for (const http::ReceivedFile& one : received) {
    UploadFile file{.number = static_cast<std::int64_t>(files.size()), .name = one.client_name()};
    EKIDEN_TRY(const std::optional<Error> refusal, look_at(one));
    if (refusal) {
      files.push_back(refuse(std::move(file), *refusal));
      continue;
    }
    file.blob_hash = hash_of(one.sha256());
    file.holds_blob = true;
    file.bytes = one.size();
    kept.push_back({.path = one.path(), .hash = *file.blob_hash, .size = one.size()});
    files.push_back(std::move(file));
  }
  EKIDEN_CHECK(blobs.adopt(kept));
  return files;
}

}  // namespace ekiden::workout
