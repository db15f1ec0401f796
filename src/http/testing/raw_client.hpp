#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ekiden::http::testing {

/// Raw bytes over one TCP connection to 127.0.0.1, blocking: for requests that no HTTP library would send.
class RawClient {
 public:
  struct Answer {
    int status = 0;  ///< 0: the connection ended before an answer
    std::string head;
    std::string body;  ///< de-chunked
    /// The value of the first header of this name, or empty.
    std::string header(std::string_view name) const;
  };

  /// @param receive_buffer of the socket in bytes, 0: as usual.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False where the server has closed.
  bool send(std::string_view bytes);
  void finish_sending();
  /// The next whole answer. @param to_head the request was HEAD: no body follows.
  Answer receive(bool to_head = false);
  /// All that comes until the server closes.
  std::string receive_all();
  /// Sends a request and takes its answer.
  Answer call(std::string_view bytes);
  /// Waits for the server to close; false where bytes come instead.
  bool is_closed_by_server();

 private:
  bool fill();
  std::string take(std::size_t size);
  std::string take_line();

  int descriptor_ = -1;
  std::string buffer_;
};

}  // namespace ekiden::http::testing
