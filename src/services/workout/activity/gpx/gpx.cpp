#include "services/workout/activity/gpx/gpx.hpp"

#include "services/workout/activity/file_source.hpp"
#include "services/workout/activity/gpx/gpx_handler.hpp"
#include "services/workout/activity/xml/parser.hpp"

namespace ekiden::activity {

struct GpxReader::Impl {
  explicit Impl(const ParseLimits& limits) : handler(limits), parser(handler, limits) {}

  GpxHandler handler;
  xml::Parser<GpxHandler> parser;
};

GpxReader::GpxReader(const ParseLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
GpxReader::~GpxReader() = default;

Result<void> GpxReader::feed(std::string_view bytes) {
  return impl_->parser.feed(bytes);
}

Result<std::vector<Activity>> GpxReader::finish() {
  EKIDEN_CHECK(impl_->parser.finish());
  return impl_->handler.take();
}

Result<std::vector<Activity>> parse_gpx(std::string_view bytes, const ParseLimits& limits) {
  GpxReader reader{limits};
  EKIDEN_CHECK(reader.feed(bytes));
  return reader.finish();
}

Result<std::vector<Activity>> parse_gpx(ByteSource& source, const ParseLimits& limits) {
  GpxHandler handler{limits};
  const auto parser = std::make_unique<xml::Parser<GpxHandler>>(handler, limits);
  EKIDEN_CHECK(xml::feed_all(*parser, source));
  return handler.take();
}

Result<std::vector<Activity>> parse_gpx_file(int descriptor, const ParseLimits& limits) {
  FileSource source{descriptor};
  return parse_gpx(source, limits);
}

}  // namespace ekiden::activity
