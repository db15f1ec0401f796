#include "services/workout/api/uploads.hpp"

#include <charconv>
#include <map>

#include "json/json.hpp"
#include "runtime/notify.hpp"
#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/idempotency.hpp"
#include "services/workout/api/hold_key.hpp"
#include "services/workout/api/place.hpp"
#include "services/workout/api/upload_form.hpp"
#include "services/workout/domain/views.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/jobs/importer.hpp"
#include "services/workout/store/blob_refs.hpp"
#include "services/workout/store/people.hpp"
#include "services/workout/store/storage.hpp"
#include "services/workout/store/uploads.hpp"

namespace ekiden::workout {

namespace {

constexpr std::string_view kStoreAnew = "blob-removed";
constexpr std::string_view kBeingRemoved = "blob-being-removed";
/// A removal takes a few milliseconds; it may be another process's, which cannot tell when it is done.
constexpr std::chrono::milliseconds kLookAgainAfter{10};
/// Left of a request's time for its answer.
constexpr std::chrono::seconds kAnswerTime{1};
constexpr std::chrono::seconds kQueuePatience{30};

Error unknown_upload() {
  return {Errc::not_found, "not-found", "there is no such upload"};
}

http::Response answer(int status, const Upload& upload, bool in_work) {
  http::Response response = http::Response::json(status, json::write(view_of(upload, in_work)));
  response.headers.set("Location", "/api/v1/uploads/" + upload.upload_id.to_string());
  return response;
}

}  // namespace

struct UploadsApi::Received {
  http::Request request;
  UploadWishes wishes{};
  std::vector<UploadFile> files{};
  blobs::Hash content_hash{};
  std::map<blobs::Hash, Timestamp> removals{};  ///< after which the content was stored anew

  UserId user_id() const { return request.user().user_id; }
  std::vector<blobs::Hash> stored() const {
    std::vector<blobs::Hash> hashes;
    for (const UploadFile& file : files) {
      if (file.blob_hash) hashes.push_back(*file.blob_hash);
    }
    return hashes;
  }
};

runtime::Task<Result<http::Response>> UploadsApi::create(http::Request request) {
  EKIDEN_CO_TRY(const auto hold, hold_key(parts_.keys, request));
  auto received = std::make_shared<Received>();
  received->request = std::move(request);
  if (!received->request.form) co_return Error{Errc::invalid, "missing-file", "there is no file", "file"};
  EKIDEN_CO_TRY(received->wishes, read_wishes(*received->request.form, config_.upload_files_max));
  read_ahead(received);
  Result<http::Response> response = co_await keep(received);
  // A repeated request or a known file makes no job.
  if (!response || response->status != 202) forget_read(*received);
  // After an unknown outcome the rows may be there; else nothing refers to what was stored.
  if (!response && (!is_retryable(response.error().code()) || response.error().code() == Errc::limited))
    co_await forget_files(received);
  co_return response;
}

/// Only of a single file: those of many find the pool busy with one another.
void UploadsApi::read_ahead(const ReceivedPtr& received) const {
  const std::vector<http::ReceivedFile>& files = received->request.form->files;
  if (files.size() != 1) return;
  const http::ReceivedFile& file = files.front();
  parts_.ahead.begin(hash_of(file.sha256()), file.path(), file.size(), received);
}

void UploadsApi::forget_read(const Received& received) const {
  for (const http::ReceivedFile& file : received.request.form->files)
    parts_.ahead.forget(hash_of(file.sha256()));
}

runtime::Task<Result<http::Response>> UploadsApi::keep(ReceivedPtr received) {
  const Deadline deadline = received->request.deadline;
  const runtime::Notify nobody;
  for (bool is_stored = false;;) {
    if (!is_stored) {
      auto store = [this, received] { return store_files(*received); };
      EKIDEN_CO_CHECK(co_await runtime::offload(parts_.disk, store));
    }
    Result<http::Response> response = co_await write_rows(received);
    if (response) co_return response;
    const std::string slug(response.error().slug());
    is_stored = slug != kStoreAnew;
    if (!is_stored) continue;
    if (slug != kBeingRemoved) co_return response;
    if (deadline.is_never() || deadline.left(parts_.clock) < kAnswerTime) {
      co_return Error{Errc::busy, "busy",
                      "The same content is being removed at this moment: try again in a moment."};
    }
    co_await nobody.wait(parts_.clock.monotonic() + kLookAgainAfter);
  }
}

Result<void> UploadsApi::store_files(Received& received) const {
  const std::vector<http::ReceivedFile>& files = received.request.form->files;
  EKIDEN_TRY(received.files, workout::store_files(files, parts_.blobs));
  // One file that is not fit is the request's own error; of many each has its own end.
  if (files.size() == 1 && received.files.front().problem) {
    const Problem& problem = *received.files.front().problem;
    const Errc code =
        problem.status == http::status_of(Errc::unsupported) ? Errc::unsupported : Errc::invalid;
    return Error{code, problem.type.substr(std::string_view("urn:ekiden:").size()), problem.detail, "file"};
  }
  received.content_hash = content_hash_of(received.stored());
  return {};
}

runtime::Task<Result<http::Response>> UploadsApi::write_rows(ReceivedPtr received) {
  auto body = [this, received](sql::Tx& tx) { return accept(tx, *received); };
  co_return co_await runtime::write(parts_.db, body, received->request.deadline);
}

Result<http::Response> UploadsApi::accept(sql::Tx& tx, Received& received) const {
  const auto create = [&] { return insert(tx, received); };
  return services::create_once(tx, received.request, received.user_id(), parts_.clock.now(), create,
                               fingerprint(received.wishes, received.files));
}

Result<void> UploadsApi::claim(sql::Tx& tx, Received& received) const {
  using Next = BlobClaim::Next;
  std::optional<Error> refusal;
  for (const blobs::Hash& hash : received.stored()) {
    const auto known = received.removals.find(hash);
    const bool is_known = known != received.removals.end();
    EKIDEN_TRY(const BlobClaim claim,
               claim_blob(tx, hash, is_known ? std::optional(known->second) : std::nullopt));
    if (claim.next == Next::wait)
      return Error{Errc::conflict, std::string(kBeingRemoved), "the content is being removed"};
    if (claim.next == Next::go_on) continue;
    received.removals[hash] = claim.removed_at;
    refusal = Error{Errc::conflict, std::string(kStoreAnew), "the content must be stored again"};
  }
  if (refusal) return *std::move(refusal);
  return {};
}

Result<http::Response> UploadsApi::insert(sql::Tx& tx, Received& received) const {
  EKIDEN_TRY(const bool erased, is_erased(tx, received.user_id()));
  if (erased) return Error{Errc::unauthenticated, "invalid-token", "this account has been deleted"};
  const std::vector<blobs::Hash> stored = received.stored();
  if (!stored.empty()) {
    EKIDEN_TRY(const auto same, find_same_upload(tx, received.user_id(), received.content_hash));
    if (same) return answer(200, *same, false);
  }
  EKIDEN_CHECK(claim(tx, received));
  EKIDEN_CHECK(check_room(tx, received));
  const Timestamp now = parts_.clock.now();
  Upload upload{.upload_id = parts_.ids.make<UploadId>(),
                .user_id = received.user_id(),
                .wishes = received.wishes,
                .content_hash = received.content_hash,
                .files_total = static_cast<std::int64_t>(received.files.size()),
                .created_at = now,
                .files = received.files};
  upload.files_done = upload.files_total - static_cast<std::int64_t>(stored.size());
  if (stored.empty()) {
    upload.status = UploadStatus::failed;
    upload.ended_at = now;
  }
  EKIDEN_CHECK(insert_upload(tx, upload));
  if (!stored.empty()) {
    EKIDEN_CHECK(parts_.jobs.enqueue(tx, {.kind = std::string(kImport),
                                          .key = upload.upload_id.to_string(),
                                          .payload = received.request.trace.to_traceparent()}));
  }
  return answer(202, upload, false);
}

/// One person can fill neither the store nor the queue.
Result<void> UploadsApi::check_room(sql::Tx& tx, const Received& received) const {
  EKIDEN_TRY(const std::int64_t queued, queued_uploads(tx, received.user_id()));
  if (queued >= config_.uploads_queued_max) {
    return Error{
        Errc::limited, "too-many-queued-uploads",
        std::to_string(queued) + " of your uploads wait to be imported: send more when they are done"}
        .with_retry_after(kQueuePatience);
  }
  for (const UploadFile& file : received.files) {
    if (!file.blob_hash) continue;
    EKIDEN_TRY(const std::int64_t used, count_original(tx, received.user_id(), *file.blob_hash, file.bytes));
    if (used > config_.storage_bytes_max) {
      return Error{Errc::too_large, "storage-quota",
                   "with this upload your files would take " + std::to_string(used) + " bytes, and " +
                       std::to_string(config_.storage_bytes_max) +
                       " are there for each person: delete workouts that you no longer need",
                   "file"};
    }
  }
  return {};
}

runtime::Task<void> UploadsApi::forget_files(ReceivedPtr received) {
  auto body = [this, received](sql::Tx& tx) {
    return remove_later(tx, parts_.jobs, received->stored(), parts_.clock.now());
  };
  // A failure leaves content that nobody refers to: it costs room and harms nothing.
  static_cast<void>(co_await runtime::write(parts_.db, body));
}

runtime::Task<Result<http::Response>> UploadsApi::show(http::Request request) {
  const auto upload_id = UploadId::parse(request.param("id"));
  if (!upload_id) co_return unknown_upload();
  auto body = [this, upload_id, user_id = request.user().user_id](sql::Tx& tx) -> Result<http::Response> {
    EKIDEN_TRY(const auto upload, find_upload(tx, *upload_id));
    if (!upload || upload->user_id != user_id) return unknown_upload();
    bool in_work = false;
    if (upload->status == UploadStatus::queued) {
      EKIDEN_TRY(const auto job, parts_.jobs.find(tx, kImport, upload_id->to_string()));
      in_work = job && job->state == "running";
    }
    return http::Response::json(200, json::write(view_of(*upload, in_work)));
  };
  Result<http::Response> response = co_await runtime::read(parts_.db, body, request.deadline);
  if (response) response->headers.set("Cache-Control", "no-store");
  co_return response;
}

runtime::Task<Result<http::Response>> UploadsApi::list(http::Request request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  const UserId user_id = request.user().user_id;
  const std::string list_name = "uploads:" + user_id.to_string();
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list_name));
  std::optional<UploadPlace> after;
  if (position) {
    EKIDEN_CO_TRY(const Place place, read_place(*position));
    after = UploadPlace{place.at, UploadId{place.id}};
  }
  auto body = [user_id, after, limit](sql::Tx& tx) { return list_uploads(tx, user_id, after, limit + 1); };
  EKIDEN_CO_TRY(auto uploads, co_await runtime::read(parts_.db, body, request.deadline));
  UploadsView view;
  if (std::cmp_greater(uploads.size(), limit)) {
    uploads.pop_back();
    view.next_cursor = parts_.cursors.seal(
        list_name, write_place({uploads.back().created_at, uploads.back().upload_id.uuid()}));
  }
  for (const Upload& upload : uploads) {
    UploadView whole = view_of(upload, false);
    view.items.push_back({whole.id, whole.status, whole.progress, std::move(whole.external_id),
                          whole.created_at, whole.ended_at});
  }
  co_return http::Response::json(200, json::write(view));
}

std::vector<http::Route> UploadsApi::routes(UploadsApi* api, const WorkoutConfig& config) {
  using http::RateClass;
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (UploadsApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::post,
       .pattern = "/api/v1/uploads",
       .handler = call(&UploadsApi::create),
       .rate_class = RateClass::upload,
       .body = http::BodyPolicy::multipart(config.upload_bytes_max),
       .idempotent = http::Idempotent::yes,
       .scope = "uploads:write",
       .timeout = std::chrono::seconds{60},
       .doc = {.summary = "Upload files: GPX, TCX, FIT, also gzipped or zipped",
               .tag = "uploads",
               .response_schema = json::schema_of<UploadView>,
               .success_status = 202}},
      {.verb = Verb::get,
       .pattern = "/api/v1/uploads",
       .handler = call(&UploadsApi::list),
       .scope = "uploads:write",
       .doc = {.summary = "One's uploads, the newest first",
               .tag = "uploads",
               .response_schema = json::schema_of<UploadsView>,
               .query_parameters = {"limit", "cursor"}}},
      {.verb = Verb::get,
       .pattern = "/api/v1/uploads/{id}",
       .handler = call(&UploadsApi::show),
       .scope = "uploads:write",
       .doc = {.summary = "How an upload gets on",
               .tag = "uploads",
               .response_schema = json::schema_of<UploadView>}},
  };
}

}  // namespace ekiden::workout
