#include "kvtransfer/ucx_address.h"

#include <array>

#include "kvtransfer/copy_crc.h"
#include "kvtransfer/frame_header.h"

namespace baton {
namespace {

constexpr absl::string_view kMagic = "BTNU";
constexpr std::size_t kPrefixBytes = 12;

std::uint32_t Checksum(absl::string_view bytes) {
  return Crc32c(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
}

std::uint32_t LoadAt(absl::string_view text, std::size_t offset) {
  return LoadLittleEndian<std::uint32_t>(reinterpret_cast<const std::byte*>(text.data() + offset));
}

}  // namespace

std::string WrapUcxAddress(absl::string_view ucx) {
  std::array<std::byte, 8> numbers{};
  StoreLittleEndian(static_cast<std::uint32_t>(ucx.size()), numbers.data());
  StoreLittleEndian(Checksum(ucx), numbers.data() + 4);
  std::string out(kMagic);
  out.append(reinterpret_cast<const char*>(numbers.data()), numbers.size());
  out.append(ucx.data(), ucx.size());
  return out;
}

absl::StatusOr<std::string> UnwrapUcxAddress(absl::string_view address) {
  const bool framed = address.size() > kPrefixBytes &&
                      address.size() <= kTransportAddressBytesMax &&
                      address.substr(0, kMagic.size()) == kMagic;
  if (!framed || LoadAt(address, 4) != address.size() - kPrefixBytes ||
      LoadAt(address, 8) != Checksum(address.substr(kPrefixBytes))) {
    return absl::InvalidArgumentError(
        "not the address of a transfer worker: damaged, or of another version");
  }
  return std::string(address.substr(kPrefixBytes));
}

}  // namespace baton
