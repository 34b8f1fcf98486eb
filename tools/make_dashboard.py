#!/usr/bin/env python3
"""Writes deploy/grafana/baton.json. Row 1 is the hand-off: what other systems do not show.

usage: make_dashboard.py > deploy/grafana/baton.json
"""
import json

RATE = "[5m]"


def quantile(q, metric, by="le"):
    return f"histogram_quantile({q}, sum by ({by}) (rate({metric}_bucket{RATE})))"


# (row title, [(panel title, unit, [(legend, query)])])
ROWS = [
    ("Hand-off", [
        ("Exposed hand-off", "s", [("p50", quantile(0.5, "baton_handoff_exposed_seconds")),
                                   ("p99", quantile(0.99, "baton_handoff_exposed_seconds"))]),
        ("Stages, mean", "s", [("{{stage}}", f"sum by (stage) (rate(baton_handoff_seconds_sum{RATE})) / "
                                f"sum by (stage) (rate(baton_handoff_seconds_count{RATE}))")]),
        ("Page bytes by wire", "Bps", [("{{wire}} {{direction}}",
                                        f"sum by (wire, direction) (rate(baton_transfer_bytes_total{RATE}))")]),
        ("Outcomes", "ops", [("{{outcome}}", f"sum by (outcome) (rate(baton_handoffs_total{RATE}))")]),
        ("Pages", "short", [("{{state}}", "sum by (state) (baton_kv_pages)")]),
        ("Incidents", "short", [("stale frames refused", "sum(baton_stale_frames_refused_total)"),
                                ("checksum errors", "sum(baton_crc_errors_total)"),
                                ("ledger imbalance", "sum(baton_ledger_imbalance)")]),
    ]),
    ("Users", [
        ("Time to first token", "s", [("p50", quantile(0.5, "vllm:time_to_first_token_seconds")),
                                      ("p99", quantile(0.99, "vllm:time_to_first_token_seconds"))]),
        ("Between tokens", "s", [("p50", quantile(0.5, "vllm:inter_token_latency_seconds")),
                                 ("p99", quantile(0.99, "vllm:inter_token_latency_seconds"))]),
        ("Requests by end", "ops", [("{{outcome}}", f"sum by (outcome) (rate(baton_requests_total{RATE}))")]),
        ("HTTP answers", "ops", [("{{code}}", f"sum by (code) (rate(baton_http_requests_total{RATE}))")]),
    ]),
    ("Router", [
        ("Decisions", "ops", [("{{outcome}}", f"sum by (outcome) (rate(baton_route_decisions_total{RATE}))")]),
        ("Decision time p99", "s", [("p99", quantile(0.99, "baton_route_seconds"))]),
        ("Cached tokens, promised and found", "short",
         [("promised", f"sum(rate(baton_route_predicted_tokens_total{RATE}))"),
          ("found", f"sum(rate(baton_route_realised_tokens_total{RATE}))")]),
        ("Workers", "short", [("{{role}} {{state}}", "sum by (role, state) (baton_workers)")]),
    ]),
    ("Workers", [
        ("Running and waiting", "short", [("running {{job}}", "sum by (job) (vllm:num_requests_running)"),
                                          ("waiting {{job}}", "sum by (job) (vllm:num_requests_waiting)")]),
        ("KV pages in use", "percentunit", [("{{job}}", "avg by (job) (vllm:kv_cache_usage_perc)")]),
        ("Step time p50", "s", [("{{kind}}", quantile(0.5, "baton_step_seconds", "le, kind"))]),
        ("Prefix cache hits", "percentunit", [("{{job}}", f"sum by (job) (rate(vllm:prefix_cache_hits_total{RATE})) / "
                                               f"sum by (job) (rate(vllm:prefix_cache_queries_total{RATE}))")]),
        ("Tokens sampled", "short", [("{{job}}", f"sum by (job) (rate(vllm:generation_tokens_total{RATE}))")]),
    ]),
    ("Processes", [
        ("Memory", "bytes", [("{{job}}", "sum by (job) (process_resident_memory_bytes)")]),
        ("CPU", "short", [("{{job}}", f"sum by (job) (rate(process_cpu_seconds_total{RATE}))")]),
    ]),
]


def panel(identity, title, unit, queries, place):
    return {"id": identity, "title": title, "type": "timeseries", "gridPos": place,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [{"refId": chr(65 + i), "legendFormat": legend, "expr": query}
                        for i, (legend, query) in enumerate(queries)]}


def panels():
    identity, y = 0, 0
    for title, entries in ROWS:
        identity += 1
        yield {"id": identity, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        for i, entry in enumerate(entries):
            identity += 1
            yield panel(identity, *entry, {"x": 8 * (i % 3), "y": y + 1 + 8 * (i // 3), "w": 8, "h": 8})
        y += 1 + 8 * ((len(entries) + 2) // 3)


print(json.dumps({"title": "Baton", "uid": "baton", "schemaVersion": 39, "refresh": "10s", "tags": ["baton"],
                  "time": {"from": "now-30m", "to": "now"},
                  "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
                  "panels": list(panels())}, indent=1))
