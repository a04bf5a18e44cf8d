-- wrk's side of a measurement: unique check-ins of known or new numbers.
-- Arguments: kind (constant, known, new), run id, first new number, tokens …
-- Prints one line of JSON.

local MEMBERS = 100000
local SERVER_ERRORS = "server_errors"
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   kind, run = arguments[1], arguments[2]
   next_new = tonumber(arguments[3])
   count, server_errors, refused, example = 0, 0, 0, ""
   path = "/club/device/v1/checkins"
   if kind ~= "known" and kind ~= "new" then
      path = "/club/bench/" .. kind
   end
   headers = {}
   for at = 4, #arguments do
      table.insert(headers, {
         ["Content-Type"] = "application/json",
         ["Authorization"] = "Bearer " .. arguments[at],
      })
   end
   math.randomseed(os.time())
end

function request()
   count = count + 1
   local number = math.random(0, MEMBERS - 1)
   if kind == "new" then
      number = next_new + count
   end
   local body = string.format(
      '{"event_id":"%s-%08d","phone":"0912%07d","tag":%d}',
      run, count, number, count % 3 + 1)
   return wrk.format("POST", path, headers[count % #headers + 1], body)
end

function response(status, _headers, body)
   if status >= 500 then
      server_errors = server_errors + 1
   elseif status >= 400 then
      refused = refused + 1
   end
   if status >= 400 then
      example = body
   end
end

function done(summary, latency, _requests)
   local function total(name)
      local sum = 0
      for _, thread in ipairs(threads) do
         sum = sum + thread:get(name)
      end
      return sum
   end
   local sockets = summary.errors.connect + summary.errors.read
      + summary.errors.write
   io.write(string.format(
      '{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"server_errors":%d,'
      .. '"refused":%d,"sockets":%d,"timeouts":%d,"sent":%d,"example":%q}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, total(SERVER_ERRORS), total("refused"),
      sockets, summary.errors.timeout, total("count"), threads[1]:get("example")))
end
