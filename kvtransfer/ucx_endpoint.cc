#include "kvtransfer/ucx_endpoint.h"

#include <cstdio>
#include <cstdlib>

#include "kvtransfer/frame_header.h"
#include "kvtransfer/ucx_status.h"
#include "kvtransfer/ucx_wire.h"

namespace baton {

absl::Status UcxEndpoint::Open(UcxWorker& worker, absl::string_view ucx_address) {
  ucp_ep_params_t params{};
  params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
                      UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address = reinterpret_cast<const ucp_address_t*>(ucx_address.data());
  params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  params.err_handler.cb = &UcxEndpoint::OnError;
  params.err_handler.arg = this;
  return FromUcx(ucp_ep_create(worker.get(), &params, &endpoint_),
                 "no transport of transfer.transports reaches the peer");
}

void UcxEndpoint::OnError(void* arg, ucp_ep_h, ucs_status_t status) {
  static_cast<UcxEndpoint*>(arg)->error_ = status;
}

bool UcxEndpoint::Close() {
  if (endpoint_ != nullptr) {
    ucp_request_param_t param{};
    param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
    param.flags = UCP_EP_CLOSE_FLAG_FORCE;
    void* const request = ucp_ep_close_nbx(endpoint_, &param);
    if (UCS_PTR_IS_PTR(request)) closing_ = request;
    endpoint_ = nullptr;
  }
  if (closing_ == nullptr) return true;
  if (ucp_request_check_status(closing_) == UCS_INPROGRESS) return false;
  ucp_request_free(closing_);
  closing_ = nullptr;
  return true;
}

std::string UcxEndpoint::Wire() const {
  if (endpoint_ == nullptr) return "unknown";
  char* text = nullptr;
  std::size_t bytes = 0;
  std::FILE* const stream = open_memstream(&text, &bytes);
  if (stream == nullptr) return "unknown";
  ucp_ep_print_info(endpoint_, stream);
  std::fclose(stream);
  std::string wire = WireOfEndpointText({text, bytes});
  std::free(text);
  return wire;
}

void UcxNote::Post(const UcxEndpoint& endpoint, unsigned id, StreamId stream,
                   absl::string_view body) {
  StoreLittleEndian(static_cast<std::uint64_t>(stream), header_.data());
  body_.assign(body.data(), body.size());
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
  param.flags = UCP_AM_SEND_FLAG_EAGER;
  void* const request = ucp_am_send_nbx(endpoint.get(), id, header_.data(), header_.size(),
                                        body_.data(), body_.size(), &param);
  // An immediate error is the endpoint's: its handler tells.
  if (UCS_PTR_IS_PTR(request)) request_ = request;
}

bool UcxNote::Done() {
  if (request_ == nullptr) return true;
  if (ucp_request_check_status(request_) == UCS_INPROGRESS) return false;
  ucp_request_free(request_);
  request_ = nullptr;
  return true;
}

}  // namespace baton
