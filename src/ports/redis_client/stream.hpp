#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "ports/redis_client/url.hpp"

namespace ekiden::redis {

/// A connection to one server, plain or over TLS. Lives on its loop. What fails throws
/// boost::system::system_error.
class Stream {
 public:
  using Written = std::move_only_function<void(boost::system::error_code)>;
  virtual ~Stream() = default;

  /// Connects, and over TLS checks that the server is the one that the name stands for.
  virtual boost::asio::awaitable<void> open() = 0;
  virtual boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer into) = 0;
  /// One at a time. `bytes` live until `written` is called.
  virtual void write_all(boost::asio::const_buffer bytes, Written written) = 0;
  /// Ends everything that waits. May be called again.
  virtual void close() noexcept = 0;
};

/// @param ca_file certificates that are believed; empty: the system's.
std::shared_ptr<Stream> make_stream(boost::asio::io_context& loop, const Address& address,
                                    const std::string& ca_file);

}  // namespace ekiden::redis
