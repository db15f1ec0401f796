#include "runtime/figures.hpp"

namespace ekiden::runtime {

void FiguresRegistry::add(Source source) {
  const MutexLock lock(mutex_);
  sources_.push_back(std::move(source));
}

std::vector<ExecutorFigures> FiguresRegistry::collect() const {
  std::vector<Source> sources;
  {
    const MutexLock lock(mutex_);
    sources = sources_;
  }
  std::vector<ExecutorFigures> figures;
  for (const Source& source : sources) source(figures);
  return figures;
}

}  // namespace ekiden::runtime
