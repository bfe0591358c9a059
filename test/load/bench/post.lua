-- One POST for wrk, read from files that only their owner may read, so that no secret is in a command line.
local function read(variable)
  local file = assert(io.open(os.getenv(variable), "r"))
  local text = file:read("*a")
  file:close()
  return text
end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
wrk.headers["Authorization"] = read("BENCH_AUTHORIZATION_FILE")
wrk.body = read("BENCH_BODY_FILE")

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests":%d,"bytes":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"failures":{"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
