#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/digest.hpp"
#include "http/message.hpp"
#include "http/multipart.hpp"

namespace ekiden::http {

/// Gathers a multipart form: text fields in memory, files on disk. Parsing runs on the loop and only queues
/// writes; flush() does them where blocking is allowed, and hashes what it writes. The two never run at once.
class FormReceiver final : public MultipartSink {
 public:
  /// @param folder  for spool files; it exists.
  /// @param stem    what their names begin with, used by no other form: never the client's.
  /// @param gather  the most bytes that come between two flushes: room for them is made once.
  FormReceiver(std::filesystem::path folder, std::string stem, std::size_t gather)
      : folder_(std::move(folder)), stem_(std::move(stem)), gather_(gather) {}
  ~FormReceiver() override;
  FormReceiver(const FormReceiver&) = delete;
  FormReceiver& operator=(const FormReceiver&) = delete;

  Result<void> on_begin(PartHead head) override;
  Result<void> on_data(std::string_view data) override;
  Result<void> on_end() override;

  /// Bytes that wait to be written.
  std::size_t pending_bytes() const { return pending_bytes_; }
  bool has_pending() const { return !pending_.empty(); }
  /// Writes what is queued. Blocks.
  /// @errors storage_full  the disk is full; unavailable  it cannot be written. The files are removed with
  /// this object.
  Result<bool> flush();
  /// The form, after the last flush().
  Form take();

 private:
  struct Write {
    std::size_t file;
    std::string data;
    bool is_last;
  };
  Result<void> open_file(std::size_t file);
  Result<void> write_all(std::string_view data) const;
  void end_file(std::size_t file);
  void close_file();

  std::filesystem::path folder_;
  std::string stem_;
  std::size_t gather_;
  Form form_;
  std::vector<Write> pending_;
  std::string spare_;  ///< the room of a buffer that was written: the next one's
  Sha256 hash_;        ///< of the file that is open
  std::size_t pending_bytes_ = 0;
  bool in_file_ = false;
  std::vector<std::int64_t> sizes_;
  std::vector<PartHead> heads_;
  int descriptor_ = -1;
};

}  // namespace ekiden::http
