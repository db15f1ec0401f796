#include "ports/blobs/sha256.hpp"

#include <new>
#include <stdexcept>

#include <openssl/evp.h>

namespace ekiden::blobs {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}

void Sha256::add(std::string_view piece) {
  if (EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) != 1) {
    throw std::logic_error("sha-256: added to after the end");
  }
}

Hash Sha256::finish() {
  Hash hash;
  if (EVP_DigestFinal_ex(context_.get(), hash.bytes.data(), nullptr) != 1) {
    throw std::logic_error("sha-256: finished twice");
  }
  return hash;
}

}  // namespace ekiden::blobs
