#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "http/access_token.hpp"
#include "http/internal_caller.hpp"

namespace ekiden::app {

/// Says that one server at most works on a data directory; held for as long as the object lives.
class DirectoryLock {
 public:
  /// @errors busy: another server runs on it.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// The secrets of an installation: 32 random bytes each, made at the first start and kept as files for their
/// owner's eyes only.
struct Secrets {
  http::SigningSeed token_seed;
  std::string cursor_key;
  http::ClusterSecret cluster;  ///< what gateways sign calls with
};
/// `cluster.previous.key` may lie beside `cluster.key` while that is being replaced.
/// Throws std::system_error where the folder or a file cannot be made, std::runtime_error where one is
/// damaged.
Secrets load_secrets(const std::filesystem::path& folder, Random& random);

/// Makes a folder that only its owner may enter. Throws std::filesystem::filesystem_error.
void make_private_folder(const std::filesystem::path& folder);

}  // namespace ekiden::app
