#pragma once

#include <filesystem>
#include <memory>

#include "ports/blobs/blobs.hpp"
#include "ports/blobs/directory/disk.hpp"

namespace ekiden::blobs {

/// Blobs as files `ab/cd/<64 hex digits>` below `root`, made when absent; whoever else's files lie there are
/// left alone. Several processes may share a root. A commit is, in this order: fsync of a file in `root/tmp`,
/// its directories made and fsynced (once each in a process), rename, fsync of the directory. So a name is
/// there only with its whole content, also after a power cut, and what `commit` has acknowledged stays. What
/// a killed process leaves in `root/tmp` is removed here; writers that live hold a lock on theirs.
/// @throws std::system_error where the directories cannot be made or read.
std::unique_ptr<Blobs> make_directory_blobs(const std::filesystem::path& root,
                                            std::shared_ptr<Disk> disk = std::make_shared<Disk>());

}  // namespace ekiden::blobs
