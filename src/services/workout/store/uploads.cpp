#include "services/workout/store/uploads.hpp"

#include "json/json.hpp"
#include "services/workout/store/blob_refs.hpp"
#include "services/workout/store/id_list.hpp"
#include "services/workout/store/workouts.hpp"

namespace ekiden::workout {

namespace {

constexpr std::string_view kSelectUpload =
    "SELECT upload_id, user_id, status, name, sport, visibility, gear_ids, external_id, content_hash, "
    "files_total, "
    "files_done, created_at, ended_at FROM uploads ";
constexpr std::string_view kSelectFiles =
    "SELECT number, name, status, blob_hash, holds_blob, entry, workout_ids, problem FROM upload_files WHERE "
    "upload_id = $1 "
    "AND status <> 'unpacked' ORDER BY number";
constexpr std::string_view kInsertFile =
    "INSERT INTO upload_files (upload_id, number, name, status, blob_hash, holds_blob, entry, workout_ids, "
    "problem) VALUES "
    "($1, $2, $3, $4, $5, $6, $7, $8, $9)";

sql::Value to_value(const std::optional<blobs::Hash>& hash) {
  if (!hash) return {};
  return to_blob(*hash);
}

sql::Value to_value(const std::optional<Problem>& problem) {
  if (!problem) return {};
  return json::write(*problem);
}

sql::Params file_params(UploadId upload_id, const UploadFile& file) {
  return {upload_id,
          file.number,
          file.name,
          to_string(file.status),
          to_value(file.blob_hash),
          file.holds_blob,
          file.entry,
          join_ids(file.workout_ids),
          to_value(file.problem)};
}

Upload to_upload(const sql::Row& row) {
  Upload upload{
      .upload_id = row.id<UploadId>(0),
      .user_id = row.id<UserId>(1),
      .status = upload_status(row.text(2)),
      .wishes = {.name = row.text(3), .gear_ids = split_ids(row.text(6)), .external_id = row.text(7)},
      .content_hash = hash_of(row.bytes(8)),
      .files_total = row.integer(9),
      .files_done = row.integer(10),
      .created_at = row.time(11),
      .ended_at = row.maybe_time(12)};
  if (!row.is_null(4)) upload.wishes.sport = activity::parse_sport(row.text(4));
  if (!row.is_null(5)) upload.wishes.visibility = parse_visibility(row.text(5));
  return upload;
}

Result<UploadFile> to_file(const sql::Row& row) {
  UploadFile file{.number = row.integer(0),
                  .name = row.text(1),
                  .status = file_status(row.text(2)),
                  .holds_blob = row.flag(4),
                  .entry = row.maybe_integer(5),
                  .workout_ids = split_ids(row.text(6))};
  if (!row.is_null(3)) file.blob_hash = hash_of(row.bytes(3));
  if (row.is_null(7)) return file;
  EKIDEN_TRY(file.problem, json::read<Problem>(row.text(7)));
  return file;
}

Result<void> load_files(sql::Tx& tx, Upload& upload) {
  EKIDEN_TRY(const sql::Rows rows, tx.query(kSelectFiles, {upload.upload_id}));
  upload.files.reserve(rows.size());
  for (const sql::Row& row : rows) {
    EKIDEN_TRY(UploadFile file, to_file(row));
    upload.files.push_back(std::move(file));
  }
  return {};
}

Result<bool> is_still_good(sql::Tx& tx, const Upload& upload) {
  if (!upload.ended_at) return true;
  bool any = false;
  for (const UploadFile& file : upload.files) {
    for (const Uuid& id : file.workout_ids) {
      EKIDEN_TRY(const bool lives, workout_lives(tx, WorkoutId{id}));
      if (!lives) return false;
      any = true;
    }
  }
  return any;
}

}  // namespace

Result<void> insert_upload(sql::Tx& tx, const Upload& upload) {
  const UploadWishes& wishes = upload.wishes;
  sql::Value sport;
  sql::Value visibility;
  if (wishes.sport) sport = activity::to_string(*wishes.sport);
  if (wishes.visibility) visibility = to_string(*wishes.visibility);
  EKIDEN_CHECK(
      tx.execute("INSERT INTO uploads (upload_id, user_id, status, name, sport, visibility, gear_ids, "
                 "external_id, content_hash, "
                 "files_total, files_done, created_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                 "$10, $11, $12, $13)",
                 {upload.upload_id, upload.user_id, to_string(upload.status), wishes.name, sport, visibility,
                  join_ids(wishes.gear_ids), wishes.external_id, to_blob(upload.content_hash),
                  upload.files_total, upload.files_done, upload.created_at, upload.ended_at}));
  std::vector<sql::Params> sets;
  sets.reserve(upload.files.size());
  for (const UploadFile& file : upload.files) sets.push_back(file_params(upload.upload_id, file));
  EKIDEN_CHECK(tx.execute_batch(kInsertFile, std::move(sets)));
  return {};
}

Result<std::optional<Upload>> find_upload(sql::Tx& tx, UploadId upload_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kSelectUpload) + "WHERE upload_id = $1", {upload_id}));
  if (rows.empty()) return std::optional<Upload>{};
  Upload upload = to_upload(rows.front());
  EKIDEN_CHECK(load_files(tx, upload));
  return std::optional{std::move(upload)};
}

Result<std::vector<Upload>> list_uploads(sql::Tx& tx, UserId user_id, const std::optional<UploadPlace>& after,
                                         std::int64_t limit) {
  std::string statement = std::string(kSelectUpload) + "WHERE user_id = $1";
  sql::Params params{user_id, limit};
  if (after) {
    statement += " AND (created_at, upload_id) < ($3, $4)";
    params.emplace_back(after->created_at);
    params.emplace_back(after->upload_id);
  }
  statement += " ORDER BY created_at DESC, upload_id DESC LIMIT $2";
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement, std::move(params)));
  std::vector<Upload> uploads;
  for (const sql::Row& row : rows) uploads.push_back(to_upload(row));
  return uploads;
}

Result<std::optional<Upload>> find_same_upload(sql::Tx& tx, UserId user_id, const blobs::Hash& content_hash) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kSelectUpload) +
                          "WHERE user_id = $1 AND content_hash = $2 AND status <> 'failed' ORDER BY "
                          "created_at DESC, upload_id DESC LIMIT 1",
                      {user_id, to_blob(content_hash)}));
  if (rows.empty()) return std::optional<Upload>{};
  Upload upload = to_upload(rows.front());
  EKIDEN_CHECK(load_files(tx, upload));
  EKIDEN_TRY(const bool good, is_still_good(tx, upload));
  if (!good) return std::optional<Upload>{};
  return std::optional{std::move(upload)};
}

Result<bool> finish_file(sql::Tx& tx, UploadId upload_id, const UploadFile& file) {
  EKIDEN_TRY(
      const std::int64_t changed,
      tx.execute("UPDATE upload_files SET status = $3, holds_blob = $4, workout_ids = $5, problem = $6 WHERE "
                 "upload_id = $1 AND number = $2 AND status = 'queued'",
                 {upload_id, file.number, to_string(file.status), file.holds_blob, join_ids(file.workout_ids),
                  to_value(file.problem)}));
  return changed == 1;
}

Result<bool> unpack_file(sql::Tx& tx, UploadId upload_id, std::int64_t number,
                         const std::vector<UploadFile>& entries) {
  EKIDEN_TRY(const std::int64_t changed, tx.execute("UPDATE upload_files SET status = 'unpacked', holds_blob "
                                                    "= FALSE WHERE upload_id = $1 AND number = $2 "
                                                    "AND status = 'queued'",
                                                    {upload_id, number}));
  if (changed != 1) return false;
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT MAX(number) FROM upload_files WHERE upload_id = $1", {upload_id}));
  std::int64_t next = rows.at(0).integer(0);
  std::vector<sql::Params> sets;
  sets.reserve(entries.size());
  for (UploadFile entry : entries) {
    entry.number = ++next;
    sets.push_back(file_params(upload_id, entry));
  }
  EKIDEN_CHECK(tx.execute_batch(kInsertFile, std::move(sets)));
  EKIDEN_CHECK(tx.execute("UPDATE uploads SET files_total = files_total + $2 - 1 WHERE upload_id = $1",
                          {upload_id, static_cast<std::int64_t>(entries.size())}));
  return true;
}

Result<bool> advance_upload(sql::Tx& tx, UploadId upload_id, Timestamp now) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT status, COUNT(*) FROM upload_files WHERE upload_id = $1 GROUP BY status",
                      {upload_id}));
  std::int64_t queued = 0;
  std::int64_t done = 0;
  std::int64_t ready = 0;
  std::int64_t duplicate = 0;
  for (const sql::Row& row : rows) {
    const FileStatus status = file_status(row.text(0));
    if (status == FileStatus::unpacked) continue;
    (status == FileStatus::queued ? queued : done) += row.integer(1);
    if (status == FileStatus::ready) ready = row.integer(1);
    if (status == FileStatus::duplicate) duplicate = row.integer(1);
  }
  if (queued > 0) {
    EKIDEN_CHECK(tx.execute("UPDATE uploads SET files_done = $2 WHERE upload_id = $1", {upload_id, done}));
    return false;
  }
  EKIDEN_CHECK(
      tx.execute("UPDATE uploads SET files_done = $2, status = $3, ended_at = $4 WHERE upload_id = $1",
                 {upload_id, done, to_string(outcome_of(ready, duplicate)), now}));
  return true;
}

Result<std::optional<Original>> find_original(sql::Tx& tx, const Origin& origin) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT name, blob_hash, entry FROM upload_files WHERE upload_id "
                                            "= $1 AND number = $2 AND holds_blob",
                                            {origin.upload_id, origin.file_number}));
  if (rows.empty()) return std::optional<Original>{};
  return std::optional<Original>{{.name = rows.front().text(0),
                                  .blob_hash = hash_of(rows.front().bytes(1)),
                                  .entry = rows.front().maybe_integer(2)}};
}

Result<std::optional<blobs::Hash>> release_file(sql::Tx& tx, const Origin& origin) {
  EKIDEN_TRY(const sql::Rows others,
             tx.query("SELECT 1 FROM workouts WHERE upload_id = $1 AND file_number = $2 LIMIT 1",
                      {origin.upload_id, origin.file_number}));
  if (!others.empty()) return std::optional<blobs::Hash>{};
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(
          "UPDATE upload_files SET holds_blob = FALSE WHERE upload_id = $1 AND number = $2 AND holds_blob "
          "RETURNING blob_hash",
          {origin.upload_id, origin.file_number}));
  if (rows.empty()) return std::optional<blobs::Hash>{};
  const blobs::Hash hash = hash_of(rows.front().bytes(0));
  EKIDEN_TRY(const bool referenced, is_blob_referenced(tx, hash));
  if (referenced) return std::optional<blobs::Hash>{};
  return std::optional{hash};
}

}  // namespace ekiden::workout
