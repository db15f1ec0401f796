#include "http/testing/raw_client.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "http/text.hpp"

namespace ekiden::http::testing {

std::string RawClient::Answer::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_no_case(line.substr(0, colon), name))
      return std::string(trim(line.substr(colon + 1)));
  }
  return {};
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{.tv_sec = 20, .tv_usec = 0};  // a test that hangs fails instead
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0)
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() {
  ::close(descriptor_);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::finish_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool RawClient::fill() {
  std::array<char, 16 * 1024> bytes;
  const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

std::string RawClient::take(std::size_t size) {
  while (buffer_.size() < size && fill()) {
  }
  std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string RawClient::take_line() {
  std::size_t end = buffer_.find("\r\n");
  while (end == std::string::npos && fill()) end = buffer_.find("\r\n");
  if (end == std::string::npos) return {};
  std::string line = take(end + 2);
  line.resize(end);
  return line;
}

RawClient::Answer RawClient::receive(bool to_head) {
  Answer answer;
  std::size_t end = buffer_.find("\r\n\r\n");
  while (end == std::string::npos && fill()) end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = take(end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  if (to_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
  if (answer.header("transfer-encoding") == "chunked") {
    for (std::size_t size = 1; size > 0;) {
      const std::string line = take_line();
      if (line.empty()) return {};
      size = std::stoul(line, nullptr, 16);
      answer.body += take(size);
      take_line();
    }
  } else if (const std::string length = answer.header("content-length"); !length.empty()) {
    answer.body = take(std::stoul(length));
  } else {
    answer.body = receive_all();
  }
  return answer;
}

std::string RawClient::receive_all() {
  while (fill()) {
  }
  return std::move(buffer_);
}

RawClient::Answer RawClient::call(std::string_view bytes) {
  send(bytes);
  return receive();
}

bool RawClient::is_closed_by_server() {
  return buffer_.empty() && !fill();
}

}  // namespace ekiden::http::testing
