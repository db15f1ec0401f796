#include "services/inventory/api/photo.hpp"

#include <fstream>

#include "http/digest.hpp"
#include "json/json.hpp"
#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/conditional.hpp"
#include "services/inventory/api/gear.hpp"
#include "services/inventory/domain/editing.hpp"
#include "services/inventory/domain/views.hpp"
#include "services/inventory/jobs/photo_removal.hpp"

namespace ekiden::inventory {

namespace {

/// Room for the form around the image.
constexpr std::int64_t kFormBytes = std::int64_t{64} << 10U;
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;
/// Longer than any request: what is not attached by then was given up.
constexpr std::chrono::minutes kAttachTime{10};
constexpr std::chrono::seconds kPutTimeout{30};
constexpr std::size_t kMarkBytes = 16;

Error no_photo() {
  return {Errc::not_found, "not-found", "it has no photo"};
}

Result<std::string> read_file(const http::ReceivedFile& file) {
  std::ifstream in(file.path(), std::ios::binary);
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in && std::cmp_equal(in.gcount(), content.size())) return content;
  return Error{Errc::unavailable, "spool-unavailable", "the received file cannot be read"};
}

Result<void> check_form(const std::optional<http::Form>& form) {
  if (!form || form->files.empty())
    return Error{Errc::invalid, "missing-file", "there is no part named `file` with a file name", "file"};
  if (!form->fields.empty())
    return Error{Errc::invalid, "unknown-field", "a photo has no such field", form->fields.front().first};
  if (form->files.front().field() != "file")
    return Error{Errc::invalid, "unknown-field", "the photo comes in a part named `file`",
                 form->files.front().field()};
  if (form->files.size() > 1) return Error{Errc::invalid, "too-many-files", "one photo at a time", "file"};
  return {};
}

}  // namespace

struct PhotoApi::Received {
  http::Request request;
  std::string mark{};     ///< what makes the blob one of its own
  std::string content{};  ///< the image
  Photo photo{};
};

/// What the content is, and what its blob will be.
Result<void> PhotoApi::read_image(Received& received) const {
  const http::ReceivedFile& file = received.request.form->files.front();
  if (file.size() == 0) return Error{Errc::invalid, "empty-file", "the file is empty", "file"};
  if (file.size() > parts_.config.photo_bytes_max) {
    return Error{Errc::too_large, "photo-too-large",
                 "a photo has at most " + std::to_string(parts_.config.photo_bytes_max) + " bytes", "file"};
  }
  EKIDEN_TRY(received.content, read_file(file));
  const auto type = image_type(received.content);
  if (!type) {
    return Error{Errc::unsupported, "unsupported-file-type",
                 "The file is none of JPEG, PNG and WebP, whatever its name says.", "file"};
  }
  http::Sha256 hash;
  hash.add(received.mark);
  hash.add(received.content);
  received.photo = {.hash = hash_of(hash.take()), .type = std::string(*type)};
  return {};
}

Result<void> PhotoApi::store_image(const Received& received) const {
  EKIDEN_TRY(const std::unique_ptr<blobs::Writer> writer, parts_.blobs.create());
  EKIDEN_CHECK(writer->write(received.mark));
  EKIDEN_CHECK(writer->write(received.content));
  EKIDEN_CHECK(writer->commit());
  return {};
}

Result<Gear> PhotoApi::attach(sql::Tx& tx, const Received& received) const {
  const http::Request& request = received.request;
  EKIDEN_TRY(const Gear seen, own_gear(tx, request.param("id"), request.user().user_id));
  EKIDEN_CHECK(services::check_if_match(request, seen.version));
  Gear next = seen;
  next.photo = received.photo;
  EKIDEN_CHECK(parts_.settler.write_edit(tx, seen, next, request.trace.to_traceparent()));
  if (seen.photo) EKIDEN_CHECK(remove_photos(tx, parts_.jobs, {seen.photo->hash}, parts_.clock.now()));
  return next;
}

runtime::Task<Result<http::Response>> PhotoApi::put(http::Request request) {
  EKIDEN_CO_CHECK(check_form(request.form));
  auto received = std::make_shared<Received>();
  received->request = std::move(request);
  received->mark = parts_.ids.next().as_view();
  const Deadline deadline = received->request.deadline;
  auto look = [received](sql::Tx& tx) -> Result<void> {
    const http::Request& asked = received->request;
    EKIDEN_TRY(const Gear seen, own_gear(tx, asked.param("id"), asked.user().user_id));
    return services::check_if_match(asked, seen.version);
  };
  EKIDEN_CO_CHECK(co_await runtime::read(parts_.db, look, deadline));
  auto read = [this, received] { return read_image(*received); };
  EKIDEN_CO_CHECK(co_await runtime::offload(parts_.disk, read));
  // Ordered before it is stored: whatever happens from here on, nothing is left that nobody has.
  auto order = [this, received](sql::Tx& tx) {
    return remove_photos(tx, parts_.jobs, {received->photo.hash}, parts_.clock.now() + kAttachTime);
  };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, order, deadline));
  auto store = [this, received] { return store_image(*received); };
  EKIDEN_CO_CHECK(co_await runtime::offload(parts_.disk, store));
  auto attach_it = [this, received](sql::Tx& tx) { return attach(tx, *received); };
  EKIDEN_CO_TRY(const Gear gear, co_await runtime::write(parts_.db, attach_it, deadline));
  co_return show_gear(200, gear);
}

runtime::Task<Result<http::Response>> PhotoApi::show(http::Request request) {
  auto body = [id = request.param("id"), owner = request.user().user_id](sql::Tx& tx) {
    return own_gear(tx, id, owner);
  };
  EKIDEN_CO_TRY(const Gear gear, co_await runtime::read(parts_.db, body, request.deadline));
  if (!gear.photo) co_return no_photo();
  const Photo photo = *gear.photo;
  const auto bytes_max = parts_.config.photo_bytes_max + static_cast<std::int64_t>(kMarkBytes);
  auto open = [this, hash = photo.hash, bytes_max] { return parts_.blobs.open(hash, bytes_max); };
  EKIDEN_CO_TRY(std::shared_ptr<const blobs::Content> blob, co_await runtime::offload(parts_.disk, open));
  http::Response response;
  response.headers.set("Content-Type", photo.type);
  response.headers.set("Content-Disposition", "inline");
  response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.stream_size = static_cast<std::int64_t>(blob->bytes().size() - kMarkBytes);
  response.stream = [blob = std::move(blob), sent = kMarkBytes](std::string& piece) mutable {
    piece += blob->bytes().substr(sent, kPieceBytes);
    sent += kPieceBytes;
    return Result<bool>(sent < blob->bytes().size());
  };
  co_return http::with_etag(request, http::etag_of_content(photo.hash.as_view()), std::move(response));
}

runtime::Task<Result<http::Response>> PhotoApi::remove(http::Request request) {
  auto body = [this, &request](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Gear seen, own_gear(tx, request.param("id"), request.user().user_id));
    EKIDEN_CHECK(services::check_if_match(request, seen.version));
    if (!seen.photo) return no_photo();
    Gear next = seen;
    next.photo.reset();
    EKIDEN_CHECK(parts_.settler.write_edit(tx, seen, next, request.trace.to_traceparent()));
    return remove_photos(tx, parts_.jobs, {seen.photo->hash}, parts_.clock.now());
  };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, body, request.deadline));
  co_return http::Response::no_content();
}

std::vector<http::Route> PhotoApi::routes(PhotoApi* api, const InventoryConfig& config) {
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (PhotoApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/{id}/photo",
       .handler = call(&PhotoApi::show),
       .doc = {.summary = "The photo of a piece of gear", .tag = "gear"}},
      {.verb = Verb::put,
       .pattern = "/api/v1/gear/{id}/photo",
       .handler = call(&PhotoApi::put),
       .rate_class = http::RateClass::upload,
       .body = http::BodyPolicy::multipart(config.photo_bytes_max + kFormBytes),
       .timeout = kPutTimeout,
       .doc = {.summary = "Set or replace the photo: JPEG, PNG or WebP in a part named `file`",
               .tag = "gear",
               .response_schema = json::schema_of<GearView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/gear/{id}/photo",
       .handler = call(&PhotoApi::remove),
       .rate_class = http::RateClass::write,
       .doc = {.summary = "Remove the photo", .tag = "gear", .success_status = 204}},
  };
}

}  // namespace ekiden::inventory
