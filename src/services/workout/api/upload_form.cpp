#include "services/workout/api/upload_form.hpp"

#include <algorithm>
#include <fstream>

#include "base/text.hpp"
#include "http/text.hpp"
#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/domain/limits.hpp"
#include "services/workout/store/id_list.hpp"

namespace ekiden::workout {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;
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

Result<UploadFile> store_file(const http::ReceivedFile& received, std::int64_t number, blobs::Blobs& blobs) {
  UploadFile file{.number = number, .name = received.client_name()};
  if (received.size() == 0)
    return refuse(std::move(file), {Errc::invalid, "empty-file", "the file is empty", "file"});
  std::ifstream in(received.path(), std::ios::binary);
  if (!in) return Error{Errc::unavailable, "spool-unavailable", "the received file cannot be read"};
  EKIDEN_TRY(std::string piece, read_piece(in, kPiece));
  if (activity::detect(piece) == activity::FileKind::unknown && in) {
    EKIDEN_TRY(const std::string more, read_piece(in, kHeadMax - kPiece));
    piece += more;
  }
  if (const auto kind = activity::detect_or_refuse(piece); !kind)
    return refuse(std::move(file), kind.error());
  EKIDEN_TRY(const auto writer, blobs.create());
  while (!piece.empty()) {
    EKIDEN_CHECK(writer->write(piece));
    if (!in) break;
    EKIDEN_TRY(piece, read_piece(in, kPiece));
  }
  EKIDEN_TRY(file.blob_hash, writer->commit());
  file.holds_blob = true;
  return file;
}

}  // namespace ekiden::workout
