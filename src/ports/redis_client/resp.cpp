#include "ports/redis_client/resp.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace ekiden::redis {
namespace {

constexpr std::string_view kEnd = "\r\n";

std::optional<std::int64_t> number_of(std::string_view line) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (fault != std::errc{} || end != line.data() + line.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<void> Parser::feed(std::string_view bytes, std::vector<Reply>& out) {
  if (!broken_) {
    buffer_.append(bytes);
    Step step = Step::done;
    while (step == Step::done && at_ < buffer_.size()) step = parse_one(out);
    if (at_ == buffer_.size()) {
      buffer_.clear();
      scanned_ = at_ = 0;
    } else if (at_ > buffer_.size() / 2) {
      buffer_.erase(0, at_);
      scanned_ = scanned_ > at_ ? scanned_ - at_ : 0;
      at_ = 0;
    }
    broken_ = step == Step::bad;
  }
  if (broken_) return Error{Errc::malformed, "bad-resp", "what answers there does not speak RESP2"};
  return {};
}

Parser::Step Parser::parse_one(std::vector<Reply>& out) {
  return in_text_ ? parse_text(out) : parse_header(out);
}

Parser::Step Parser::parse_header(std::vector<Reply>& out) {
  const std::size_t end = buffer_.find(kEnd, std::max(scanned_, at_));
  if (end == std::string::npos) {
    if (buffer_.size() - at_ > limits_.line_bytes_max) return Step::bad;
    scanned_ = buffer_.size() - 1;  // the last byte may be half of an end of line
    return Step::more;
  }
  const std::string_view line(buffer_.data() + at_, end - at_);
  if (line.empty() || line.size() > limits_.line_bytes_max) return Step::bad;
  const char kind = line.front();
  const std::string_view rest = line.substr(1);
  at_ = end + kEnd.size();
  bytes_ += line.size() + kEnd.size();
  if (++items_ > limits_.items_max || bytes_ > limits_.bytes_max) return Step::bad;
  if (kind == '+' || kind == '-') {
    return finish({.type = kind == '+' ? Reply::Type::status : Reply::Type::error,
                   .integer = 0,
                   .text = std::string(rest),
                   .items = {}},
                  out);
  }
  const auto number = number_of(rest);
  if (!number) return Step::bad;
  if (kind == ':')
    return finish({.type = Reply::Type::integer, .integer = *number, .text = {}, .items = {}}, out);
  if (kind == '*') return open_array(*number, out);
  if (kind != '$' || *number < -1) return Step::bad;
  if (*number == -1) return finish({}, out);
  if (std::cmp_greater(*number, limits_.text_bytes_max)) return Step::bad;
  in_text_ = true;
  text_size_ = static_cast<std::size_t>(*number);
  return Step::done;
}

Parser::Step Parser::parse_text(std::vector<Reply>& out) {
  if (buffer_.size() - at_ < text_size_ + kEnd.size()) return Step::more;
  if (std::string_view(buffer_).substr(at_ + text_size_, kEnd.size()) != kEnd) return Step::bad;
  bytes_ += text_size_ + kEnd.size();
  if (bytes_ > limits_.bytes_max) return Step::bad;
  Reply reply{.type = Reply::Type::text, .integer = 0, .text = buffer_.substr(at_, text_size_), .items = {}};
  at_ += text_size_ + kEnd.size();
  in_text_ = false;
  return finish(std::move(reply), out);
}

Parser::Step Parser::open_array(std::int64_t length, std::vector<Reply>& out) {
  if (length == -1) return finish({}, out);
  if (length < 0 || std::cmp_greater(length, limits_.items_max)) return Step::bad;
  Reply array{.type = Reply::Type::array, .integer = 0, .text = {}, .items = {}};
  if (length == 0) return finish(std::move(array), out);
  if (open_.size() == limits_.depth_max) return Step::bad;
  open_.push_back({std::move(array), static_cast<std::size_t>(length)});
  return Step::done;
}

/// Puts a whole reply where it belongs; an array that is full now is whole as well.
Parser::Step Parser::finish(Reply reply, std::vector<Reply>& out) {
  while (!open_.empty()) {
    Open& top = open_.back();
    top.array.items.push_back(std::move(reply));
    if (--top.missing > 0) return Step::done;
    reply = std::move(top.array);
    open_.pop_back();
  }
  items_ = bytes_ = 0;
  out.push_back(std::move(reply));
  return Step::done;
}

}  // namespace ekiden::redis
