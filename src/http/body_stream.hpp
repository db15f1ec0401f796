#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "http/open_request.hpp"
#include "runtime/task.hpp"

namespace ekiden::http {

/// A body that comes piece by piece. Lives on the loop of the connection it belongs to.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// Appends the next piece (up to about 64 KiB) and returns false after the last one. Who asks again only
  /// when the last piece is gone keeps the sender waiting: that is the back-pressure.
  virtual runtime::Task<Result<bool>> read(std::string& piece) = 0;
};

/// The client of a request that passes through, and its body as it comes: chunks taken apart, nothing else.
class ClientSide : public BodyStream, public Asker {
 public:
  virtual bool has_body() const = 0;
  /// Bytes of the whole body; nullopt where the client sends chunks.
  virtual std::optional<std::int64_t> size() const = 0;
};

}  // namespace ekiden::http
