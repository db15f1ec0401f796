#include "services/workout/activity/tcx/tcx.hpp"

#include "services/workout/activity/file_source.hpp"
#include "services/workout/activity/tcx/tcx_handler.hpp"
#include "services/workout/activity/xml/parser.hpp"

namespace ekiden::activity {

struct TcxReader::Impl {
  explicit Impl(const ParseLimits& limits) : handler(limits), parser(handler, limits) {}

  TcxHandler handler;
  xml::Parser<TcxHandler> parser;
};

TcxReader::TcxReader(const ParseLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
TcxReader::~TcxReader() = default;

Result<void> TcxReader::feed(std::string_view bytes) {
  return impl_->parser.feed(bytes);
}

Result<std::vector<Activity>> TcxReader::finish() {
  EKIDEN_CHECK(impl_->parser.finish());
  return impl_->handler.take();
}

Result<std::vector<Activity>> parse_tcx(std::string_view bytes, const ParseLimits& limits) {
  TcxReader reader{limits};
  EKIDEN_CHECK(reader.feed(bytes));
  return reader.finish();
}

Result<std::vector<Activity>> parse_tcx(ByteSource& source, const ParseLimits& limits) {
  TcxHandler handler{limits};
  const auto parser = std::make_unique<xml::Parser<TcxHandler>>(handler, limits);
  EKIDEN_CHECK(xml::feed_all(*parser, source));
  return handler.take();
}

Result<std::vector<Activity>> parse_tcx_file(int descriptor, const ParseLimits& limits) {
  FileSource source{descriptor};
  return parse_tcx(source, limits);
}

}  // namespace ekiden::activity
