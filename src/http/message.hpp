#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/trace.hpp"

namespace ekiden::http {

enum class Verb : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view to_string(Verb verb);
std::optional<Verb> parse_verb(std::string_view text);

/// Header fields in their order. Names compare without case. Values hold no CR, LF or NUL.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every field of this name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first field of this name, or nullopt.
  std::optional<std::string_view> get(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

enum class Role : std::uint8_t { member, organizer, admin };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

/// Who is asking, as the gateway found out. A service never looks at a token.
struct Identity {
  UserId user_id;
  Role role = Role::member;
  SessionId session_id;  ///< nil for an API key
  std::vector<std::string>
      scopes;  ///< of an API key (`uploads:write`); empty for a session, which may do everything
  bool by_api_key = false;
};

/// A file that came in a multipart form, streamed to disk while it was received. Removed with this object.
class ReceivedFile {
 public:
  ReceivedFile(std::filesystem::path path, std::string field, std::string client_name,
               std::string content_type, std::int64_t size)
      : path_(std::move(path)),
        field_(std::move(field)),
        client_name_(std::move(client_name)),
        content_type_(std::move(content_type)),
        size_(size) {}
  ~ReceivedFile();
  ReceivedFile(ReceivedFile&& other) noexcept;
  ReceivedFile& operator=(ReceivedFile&& other) noexcept;
  ReceivedFile(const ReceivedFile&) = delete;
  ReceivedFile& operator=(const ReceivedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::string& field() const { return field_; }
  /// What the client called it, for showing only: UTF-8, no control characters, no path parts, at most 255
  /// bytes.
  const std::string& client_name() const { return client_name_; }
  const std::string& content_type() const { return content_type_; }
  std::int64_t size() const { return size_; }
  /// SHA-256 of the content, 32 bytes, made while it was received.
  const std::string& sha256() const { return sha256_; }
  /// Gives the file away: it stays when this object goes.
  void release() { path_.clear(); }
  void set_content(std::int64_t size, std::string sha256) {
    size_ = size;
    sha256_ = std::move(sha256);
  }

 private:
  std::filesystem::path path_;
  std::string field_;
  std::string client_name_;
  std::string content_type_;
  std::int64_t size_ = 0;
  std::string sha256_;
};

struct Form {
  std::vector<std::pair<std::string, std::string>> fields;  ///< text parts, in order
  std::vector<ReceivedFile> files;
  std::optional<std::string_view> field(std::string_view name) const;
};

class BodyStream;
class ClientSide;

/// A request as a handler sees it: framed, decoded, checked against its route's columns.
struct Request {
  Verb verb = Verb::get;
  std::string target;  ///< path and query as sent
  std::string path;    ///< percent-decoded once, `/`-separated, no `.` or `..`
  std::vector<std::pair<std::string, std::string>> query;   ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> params;  ///< of the route's pattern: {id}
  Headers headers;
  std::string body;          ///< whole, decompressed, at most the route's cap
  std::optional<Form> form;  ///< of a multipart route
  std::optional<Identity> identity;
  std::string client_address;  ///< IPv4 or IPv6 text of who asks, proxies looked through
  std::string request_id;      ///< ours: 36 characters
  TraceContext trace;
  Deadline deadline;
  Headers answer_headers;  ///< that go on whatever answer comes (RateLimit)
  bool has_drawn = false;  ///< on its budget, before it came this way
  /// Where the request passes through (Admitted::passes): its body, still to be read, and its client.
  std::shared_ptr<ClientSide> client{};

  std::optional<std::string_view> query_value(std::string_view name) const;
  /// A parameter of the pattern; it is there, or the route table is wrong (throws std::logic_error).
  const std::string& param(std::string_view name) const;
  /// The signed-in person. Only for routes whose Auth column asks for one (throws std::logic_error
  /// otherwise).
  const Identity& user() const;
};

/// A body that is produced while it is sent: each call appends the next piece (up to about 64 KiB) and
/// returns false after the last one. Runs on a thread that may block.
using BodySource = std::move_only_function<Result<bool>(std::string& piece)>;

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<BodySource> stream;  ///< instead of `body`
  std::optional<std::int64_t> stream_size;
  /// Instead of both, where the pieces come from a loop and not from a thread that blocks.
  std::shared_ptr<BodyStream> flow{};

  /// `application/json` with a body that is JSON already.
  static Response json(int status, std::string body);
  static Response no_content() {
    return {.status = 204, .headers = {}, .body = {}, .stream = {}, .stream_size = {}};
  }
};

/// The problem (RFC 9457) that tells of `error`: status from its code, `type` from its slug, `field` where it
/// names one, `instance` the request's id. The one place where Errc becomes a status.
Response problem(const Error& error, std::string_view request_id);
int status_of(Errc code);

}  // namespace ekiden::http
