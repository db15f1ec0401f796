#include "ports/blobs/blobs.hpp"

#include <gtest/gtest.h>

namespace ekiden::blobs {
namespace {

TEST(Hash, HexGoesBothWays) {
  Hash hash;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) hash.bytes[i] = static_cast<std::uint8_t>(i * 37 + 11);
  EXPECT_EQ(hash.to_hex().substr(0, 8), "0b30557a");
  EXPECT_EQ(Hash::parse_hex(hash.to_hex()), hash);
}

TEST(Hash, RefusesWhatIsNot64LowerCaseDigits) {
  const std::string good(64, 'a');
  EXPECT_TRUE(Hash::parse_hex(good));
  for (std::string bad : {std::string(), good.substr(1), good + "a", std::string(64, 'A'),
                          std::string(64, 'g'), "../" + good.substr(3), good.substr(1) + '\0'}) {
    EXPECT_FALSE(Hash::parse_hex(bad)) << bad;
  }
}

}  // namespace
}  // namespace ekiden::blobs
