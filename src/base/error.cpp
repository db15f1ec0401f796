#include "base/error.hpp"

namespace ekiden {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::invalid:
      return "invalid";
    case Errc::unauthenticated:
      return "unauthenticated";
    case Errc::forbidden:
      return "forbidden";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::gone:
      return "gone";
    case Errc::precondition_failed:
      return "precondition_failed";
    case Errc::precondition_required:
      return "precondition_required";
    case Errc::too_large:
      return "too_large";
    case Errc::unsupported:
      return "unsupported";
    case Errc::limited:
      return "limited";
    case Errc::storage_full:
      return "storage_full";
    case Errc::busy:
      return "busy";
    case Errc::timeout:
      return "timeout";
    case Errc::unavailable:
      return "unavailable";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace ekiden
