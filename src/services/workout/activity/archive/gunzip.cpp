#include "services/workout/activity/archive/gunzip.hpp"

namespace ekiden::activity {

Result<std::uint64_t> gunzip(std::string_view bytes, const InflateLimits& limits, const Sink& sink) {
  using std::string_view_literals::operator""sv;
  Inflated sum{0, 0, 0};
  do {
    const std::string_view rest = bytes.substr(sum.bytes_in);
    if (!rest.starts_with("\x1f\x8b"sv)) {
      return bad_archive(sum.bytes_in == 0 ? "It is no gzip file."
                                           : "Something follows the gzip file's end.");
    }
    EKIDEN_TRY(const Inflated member, inflate_into(rest, Wrapping::gzip, limits, sum, sink));
    sum.bytes_in += member.bytes_in;
    sum.bytes_out += member.bytes_out;
  } while (sum.bytes_in < bytes.size());
  return sum.bytes_out;
}

Result<std::string> gunzip(std::string_view bytes, const InflateLimits& limits) {
  std::string out;
  const auto append = [&out](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  };
  EKIDEN_CHECK(gunzip(bytes, limits, append));
  return out;
}

}  // namespace ekiden::activity
