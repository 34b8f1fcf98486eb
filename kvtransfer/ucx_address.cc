#include "kvtransfer/ucx_address.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/digest.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/frame_header.h"
#include "kvtransfer/ucx_window.h"

namespace baton {
namespace {

constexpr absl::string_view kMagic = "BTN1";
constexpr std::size_t kPrefixBytes = 12;
constexpr std::size_t kFixedBytes = 1 + sizeof(MachineId);
constexpr unsigned kOffersShm = 1;
constexpr unsigned kOffersTcp = 2;

std::uint32_t Checksum(absl::string_view bytes) {
  return Crc32c(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
}

std::uint32_t LoadAt(absl::string_view text, std::size_t offset) {
  return LoadLittleEndian<std::uint32_t>(reinterpret_cast<const std::byte*>(text.data() + offset));
}

/// Two paths show the same thing when device and inode agree. Nothing there: zeros.
void AddIdentity(const char* path, Sha256& hash) {
  struct stat info {};
  if (stat(path, &info) != 0) info = {};
  hash.AddU64(info.st_dev);
  hash.AddU64(info.st_ino);
}

}  // namespace

MachineId ThisMachine() {
  Sha256 hash;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  hash.AddString(boot);
  AddIdentity("/proc/self/ns/ipc", hash);
  AddIdentity("/proc/self/ns/pid", hash);
  AddIdentity("/dev/shm", hash);
  hash.AddU64(kSegmentBytes);
  hash.AddU64(kQueueSegments);
  const Sha256Digest digest = hash.Finish();
  MachineId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string UcxAddress::Encode() const {
  std::string body(1, static_cast<char>((shm ? kOffersShm : 0) | (tcp ? kOffersTcp : 0)));
  body.append(reinterpret_cast<const char*>(machine.data()), machine.size());
  body += ucx;
  std::array<std::byte, 8> numbers{};
  StoreLittleEndian(static_cast<std::uint32_t>(body.size()), numbers.data());
  StoreLittleEndian(Checksum(body), numbers.data() + 4);
  std::string out(kMagic);
  out.append(reinterpret_cast<const char*>(numbers.data()), numbers.size());
  return out + body;
}

absl::StatusOr<UcxAddress> UcxAddress::Decode(absl::string_view address) {
  const bool framed = address.size() > kPrefixBytes + kFixedBytes &&
                      address.size() <= kTransportAddressBytesMax &&
                      address.substr(0, kMagic.size()) == kMagic;
  if (!framed || LoadAt(address, 4) != address.size() - kPrefixBytes ||
      LoadAt(address, 8) != Checksum(address.substr(kPrefixBytes))) {
    return absl::InvalidArgumentError(
        "not the address of a transfer worker: damaged, or of another version");
  }
  const absl::string_view body = address.substr(kPrefixBytes);
  const auto offers = static_cast<unsigned char>(body[0]);
  UcxAddress out;
  out.shm = (offers & kOffersShm) != 0;
  out.tcp = (offers & kOffersTcp) != 0;
  std::memcpy(out.machine.data(), body.data() + 1, out.machine.size());
  out.ucx = std::string(body.substr(kFixedBytes));
  return out;
}

}  // namespace baton
