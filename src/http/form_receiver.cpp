#include "http/form_receiver.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/utf8.hpp"

namespace ekiden::http {
namespace {

Error disk_error(int code) {
  if (code == ENOSPC || code == EDQUOT)
    return Error{Errc::storage_full, "storage-full",
                 "There is no room to keep the upload: nothing was kept."};
  return Error{Errc::unavailable, "spool-unavailable", "The upload cannot be kept at the moment."};
}

}  // namespace

FormReceiver::~FormReceiver() {
  close_file();
}

Result<void> FormReceiver::on_begin(PartHead head) {
  in_file_ = head.file_name.has_value();
  if (!in_file_) {
    form_.fields.emplace_back(std::move(head.name), std::string{});
    return {};
  }
  heads_.push_back(std::move(head));
  sizes_.push_back(0);
  pending_.push_back({.file = heads_.size() - 1, .data = {}, .is_last = false});
  return {};
}

Result<void> FormReceiver::on_data(std::string_view data) {
  if (!in_file_) {
    form_.fields.back().second += data;
    return {};
  }
  sizes_.back() += static_cast<std::int64_t>(data.size());
  pending_bytes_ += data.size();
  const std::size_t file = heads_.size() - 1;
  if (pending_.empty() || pending_.back().file != file || pending_.back().is_last)
    pending_.push_back({.file = file, .data = {}, .is_last = false});
  std::string& gathered = pending_.back().data;
  const std::size_t size = gathered.size() + data.size();
  // What is no small file is likely to go on: growing step by step would copy it again and again.
  if (size > gathered.capacity() && size > gather_ / 8) {
    std::string room = std::exchange(spare_, {});
    room.reserve(gather_);
    room.assign(gathered);
    gathered = std::move(room);
  }
  gathered += data;
  return {};
}

Result<void> FormReceiver::on_end() {
  if (in_file_) {
    pending_.push_back({.file = heads_.size() - 1, .data = {}, .is_last = true});
    return {};
  }
  if (!is_utf8(form_.fields.back().second))
    return Error{Errc::malformed, "bad-multipart", "A text field is not UTF-8.", form_.fields.back().first};
  return {};
}

Result<void> FormReceiver::open_file(std::size_t file) {
  const std::filesystem::path path = folder_ / (stem_ + "-" + std::to_string(file) + ".upload");
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return disk_error(errno);
  const PartHead& head = heads_[file];
  form_.files.emplace_back(path, head.name, *head.file_name, head.content_type, 0);
  return {};
}

Result<void> FormReceiver::write_all(std::string_view data) const {
  while (!data.empty()) {
    const ssize_t written = ::write(descriptor_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return disk_error(errno);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void FormReceiver::end_file(std::size_t file) {
  form_.files[file].set_content(sizes_[file], hash_.take());
  close_file();
}

void FormReceiver::close_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Result<bool> FormReceiver::flush() {
  for (Write& write : pending_) {
    if (descriptor_ < 0) EKIDEN_CHECK(open_file(write.file));
    EKIDEN_CHECK(write_all(write.data));
    // Whoever makes the file durable waits for less of it then. Nothing hangs on this call.
    if (!write.is_last) ::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
    hash_.add(write.data);
    if (write.is_last) end_file(write.file);
    if (write.data.capacity() >= gather_) spare_ = std::move(write.data);
  }
  pending_.clear();
  pending_bytes_ = 0;
  return true;
}

Form FormReceiver::take() {
  return std::move(form_);
}

}  // namespace ekiden::http
