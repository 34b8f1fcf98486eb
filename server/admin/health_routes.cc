#include "server/admin/health_routes.h"

#include <memory>
#include <utility>

#include "base/json.h"

namespace baton {
namespace {

HttpResponse Plain(int status) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain";
  return response;
}

HttpResponse Json(int status, JsonObject body) {
  HttpResponse response;
  response.status = status;
  response.body = WriteJson(std::move(body));
  return response;
}

HttpResponse Readiness(const HealthCallbacks& callbacks) {
  const std::optional<std::string> reason = callbacks.not_ready();
  if (!reason.has_value()) return Json(200, MakeJson({{"ready", true}}));
  return Json(503, MakeJson({{"ready", false}, {"reason", *reason}}));
}

HttpResponse Exposition(const HealthCallbacks& callbacks) {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = callbacks.metrics();
  return response;
}

void MountMany(HttpServer& server, std::initializer_list<const char*> paths,
               const std::function<HttpResponse()>& page) {
  for (const char* path : paths) {
    server.Route("GET", path, [page](HttpRequest, HttpReply reply) { reply.Send(page()); });
  }
}

}  // namespace

void MountHealth(HttpServer& server, HealthCallbacks callbacks) {
  MountMany(server, {"/livez", "/live", "/liveness"},
            [alive = callbacks.alive] { return Plain(alive() ? 200 : 503); });
  MountMany(server, {"/readyz", "/ready", "/readiness", "/health/ready"},
            [callbacks] { return Readiness(callbacks); });
  // What load generators ask before they begin: 503 while the role cannot serve.
  MountMany(server, {"/health", "/ping"}, [callbacks] {
    return Plain(callbacks.alive() && !callbacks.not_ready().has_value() ? 200 : 503);
  });
  MountMany(server, {"/version"}, [version = callbacks.version] {
    return Json(200, MakeJson({{"version", version}}));
  });
  MountMany(server, {"/metrics"}, [callbacks] { return Exposition(callbacks); });
}

}  // namespace baton
