#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace ekiden::activity {

/// What a file is by its bytes; its name and the client's media type count for nothing.
enum class FileKind : std::uint8_t { unknown, gpx, tcx, fit, gzip, zip };
std::string_view to_string(FileKind kind);

/// Tells the kind from the first bytes; GPX from TCX by the root element, prefix or not, in UTF-8 or UTF-16,
/// behind a byte order mark, white space, declarations, comments and a DOCTYPE (which the parser then
/// refuses). At most the first MiB is looked at. @threads any
FileKind detect(std::string_view bytes);

/// Whether the bytes begin as a gzip or zip file does.
bool is_archive(std::string_view bytes);

/// `detect`, as an answer to an uploader.
/// @errors unsupported unsupported-file-type: none of the five kinds.
Result<FileKind> detect_or_refuse(std::string_view bytes);

}  // namespace ekiden::activity
