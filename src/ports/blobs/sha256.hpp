#pragma once

#include <memory>
#include <string_view>

#include "ports/blobs/blobs.hpp"

struct evp_md_ctx_st;

namespace ekiden::blobs {

/// SHA-256 of a stream (OpenSSL, which uses the processor's own instructions). @threads one at a time
class Sha256 {
 public:
  /// @throws std::bad_alloc
  Sha256();
  void add(std::string_view piece);
  /// The hash of all that was added. Once only.
  Hash finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace ekiden::blobs
