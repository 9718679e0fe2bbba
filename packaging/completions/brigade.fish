# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_brigade_global_optspecs
    string join \n h/help V/version
end

function __fish_brigade_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_brigade_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_brigade_using_subcommand
    set -l cmd (__fish_brigade_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c brigade -n "__fish_brigade_needs_command" -s h -l help -d 'Print help'
complete -c brigade -n "__fish_brigade_needs_command" -s V -l version -d 'Print version'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "serve" -d 'Serve the app of this binary'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "exec" -d 'Run any program as workers; it gets its sockets by the LISTEN_FDS protocol'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "static" -d 'Serve the files of a directory'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "check" -d 'Validate the configuration and print every value with its origin; binds nothing'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "schema" -d 'Print the JSON Schema of brigade.toml, for editors'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "unit" -d 'Print a systemd unit that fits the configuration'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "man" -d 'Print the manual page, or that of one command'
complete -c brigade -n "__fish_brigade_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -s c -l config -d 'Configuration file [default: brigade.toml if there is one]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l host -d 'Address or name to listen at [default: 127.0.0.1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l port -d 'TCP port to listen at; 0 takes a free one [default: 8000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l uds -d 'Listen at a Unix socket instead of a TCP port' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l fd -d 'Listen at a socket that the parent process left open' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l bind -d 'Place to listen at; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l backlog -d 'Connections that may wait in the kernel for each socket [default: 2048]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l balance -d 'How workers share new connections: `slots` or `shared` [default: slots]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l admin -d 'Place to answer /startupz, /livez, /readyz and /metrics at' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l workers -d 'How many workers; `auto`: as usable CPUs; `2..8`: by load [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ready -d 'When a program of `brigade exec` counts as ready [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ready-when -d 'How many workers make the service ready [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l user -d 'Run workers as this user (name or number)' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l group -d 'Run workers as this group (name or number); needs `user`' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l umask -d 'File mode creation mask of supervisor and workers' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l pid-file -d 'Write the supervisor\'s process number to this file' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-start -d 'How long a worker may take to become ready [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-header -d 'How long a request\'s head may take to arrive [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-keep-alive -d 'How long a connection may be idle between two requests [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l stall-warn -d 'How long a worker may stand still before others serve for it [default: 250ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-worker -d 'How long a worker may stand still before it is ended [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-graceful-shutdown -d 'How long a leaving worker may finish open requests [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-lame-duck -d 'How long a leaving worker still serves idle connections [default: 500ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-hooks -d 'How long the app\'s own last acts may take when a worker leaves [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-kill -d 'How long a worker may take to leave when told to leave at once [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l reload-surge -d 'Extra workers that a reload may use at a time [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l reload-max-unavailable -d 'Workers that may be missing while a reload runs [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l reload-probation -d 'How long the first new worker is on probation [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l reload-max-lingering -d 'Old generations that may linger; the oldest is cut [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-max-requests -d 'Replace a worker after so many requests [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-max-requests-jitter -d 'And up to so many requests more, by chance [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-worker-lifetime -d 'Replace a worker after so much time [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-worker-memory -d 'Replace a worker that uses so much memory [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l recycle-at-most -d 'Workers replaced at a time because of a limit [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l start-attempts -d 'Failures to start per worker before the first start is given up [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l restart-delay -d 'The pause after a second crash in a row; it doubles from there [default: 100ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l restart-delay-max -d 'The longest pause between two restarts [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l restart-calm -d 'Service time after which a crash counts as the first again [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l restart-intensity -d 'Give up after more crashes than this; `off`: never [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-certfile -d 'Certificate chain in PEM, which turns TLS on; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-keyfile -d 'Private key of the certificate, in PEM; one for each, in the same order' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-ocsp -d 'OCSP response to staple, in DER; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-ca-certs -d 'Who may sign clients\' certificates, in PEM' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-cert-reqs -d 'Clients\' certificates: `none`, `optional` or `required` [default: none]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-min-version -d 'Oldest TLS version that is spoken: `1.2` or `1.3` [default: 1.2]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ssl-ticket-rotation -d 'How often the keys change with which clients resume sessions [default: 12h]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l insecure-bind -d 'TCP address without TLS beside those with it; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-handshake -d 'How long a TLS handshake may take [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-first-byte -d 'How long a new connection may say nothing [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-body -d 'How long a request\'s body may come too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l min-rate-body -d 'Bytes of a body per second that a client has to send [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-write -d 'How long a client may take an answer too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l min-rate-write -d 'Bytes of an answer per second that a client has to take [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l timeout-request -d 'How long a request may take, from its head to the end of its answer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-request-line -d 'The longest first line of a request [default: 8KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-header-size -d 'The largest head of a request, its first line included [default: 32KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-headers -d 'The most fields in the head of a request [default: 100]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-body -d 'The largest body of a request [default: 64MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-connections -d 'The most connections that may be open at all workers [default: 65536]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-worker-connections -d 'The most connections that may be open at one worker [default: 16384]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-peer-connections -d 'The most connections that one address may have open at all workers [default: 1024]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-concurrency -d 'The most requests that one worker answers at a time [default: 8192]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-h2-streams -d 'The most requests of one HTTP/2 connection at a time [default: 128]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-h2-resets -d 'Streams that an HTTP/2 client may open and reset at a time [default: 20]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-h2-cancels -d 'Requests that an HTTP/2 client may take back within ten seconds [default: 500]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l limit-h2-frames -d 'Frames an HTTP/2 client may send within ten seconds that ask for nothing [default: 10000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l ws-max-size -d 'The largest message that may come over a WebSocket [default: 16MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l http -d 'Which versions of HTTP are spoken [default: both]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l http2-ping -d 'How long a client of HTTP/2 may be silent before it is pinged [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l header -d 'Add this header to answers; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l forwarded-allow-ips -d 'Whose forwarded headers are believed [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l forwarded-header -d 'Which headers a proxy writes: `x-forwarded` or `forwarded` [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l root-path -d 'The path under which a proxy shows this service' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l proxy-protocol-from -d 'Who speaks the PROXY protocol [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l access-log -d 'Write a line for every request: to a file, or `-` [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l access-log-format -d '`common`, `combined`, `json`, or text with fields in braces [default: combined]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l access-log-sample -d 'Write one of so many requests, by chance [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l access-log-slower-than -d 'Write only requests that took longer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l offload-threads -d 'The most threads of a worker for jobs that block [default: 40]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l offload-cpu-threads -d 'The most threads of a worker for jobs that compute [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l offload-queue -d 'How many jobs may wait for a thread [default: 400]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l offload-wait -d 'How long a job may wait for a thread [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l offload-timeout -d 'How long a job may take, its wait included [default: 60s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l log-level -d 'The least important lines to write [default: info]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l log-format -d 'The form of the log [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l cpu-affinity -d 'Bind each worker to a CPU of its own'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-cpu-affinity -d 'Undo --cpu-affinity'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l server-header -d 'Add `server: brigade` to answers'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-server-header -d 'Undo --server-header'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l date-header -d 'Add the date to answers'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-date-header -d 'Undo --date-header'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l proxy-headers -d 'Believe what trusted proxies say of the client'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-proxy-headers -d 'Undo --proxy-headers'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l request-id -d 'Give every request an id, in `x-request-id`'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-request-id -d 'Undo --request-id'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l proxy-protocol -d 'Take the client\'s address from the PROXY protocol'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-proxy-protocol -d 'Undo --proxy-protocol'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -l no-access-log -d 'Undo --access-log'
complete -c brigade -n "__fish_brigade_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -s c -l config -d 'Configuration file [default: brigade.toml if there is one]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l host -d 'Address or name to listen at [default: 127.0.0.1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l port -d 'TCP port to listen at; 0 takes a free one [default: 8000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l uds -d 'Listen at a Unix socket instead of a TCP port' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l fd -d 'Listen at a socket that the parent process left open' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l bind -d 'Place to listen at; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l backlog -d 'Connections that may wait in the kernel for each socket [default: 2048]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l balance -d 'How workers share new connections: `slots` or `shared` [default: slots]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l admin -d 'Place to answer /startupz, /livez, /readyz and /metrics at' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l workers -d 'How many workers; `auto`: as usable CPUs; `2..8`: by load [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ready -d 'When a program of `brigade exec` counts as ready [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ready-when -d 'How many workers make the service ready [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l user -d 'Run workers as this user (name or number)' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l group -d 'Run workers as this group (name or number); needs `user`' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l umask -d 'File mode creation mask of supervisor and workers' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l pid-file -d 'Write the supervisor\'s process number to this file' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-start -d 'How long a worker may take to become ready [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-header -d 'How long a request\'s head may take to arrive [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-keep-alive -d 'How long a connection may be idle between two requests [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l stall-warn -d 'How long a worker may stand still before others serve for it [default: 250ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-worker -d 'How long a worker may stand still before it is ended [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-graceful-shutdown -d 'How long a leaving worker may finish open requests [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-lame-duck -d 'How long a leaving worker still serves idle connections [default: 500ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-hooks -d 'How long the app\'s own last acts may take when a worker leaves [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-kill -d 'How long a worker may take to leave when told to leave at once [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l reload-surge -d 'Extra workers that a reload may use at a time [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l reload-max-unavailable -d 'Workers that may be missing while a reload runs [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l reload-probation -d 'How long the first new worker is on probation [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l reload-max-lingering -d 'Old generations that may linger; the oldest is cut [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-max-requests -d 'Replace a worker after so many requests [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-max-requests-jitter -d 'And up to so many requests more, by chance [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-worker-lifetime -d 'Replace a worker after so much time [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-worker-memory -d 'Replace a worker that uses so much memory [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l recycle-at-most -d 'Workers replaced at a time because of a limit [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l start-attempts -d 'Failures to start per worker before the first start is given up [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l restart-delay -d 'The pause after a second crash in a row; it doubles from there [default: 100ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l restart-delay-max -d 'The longest pause between two restarts [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l restart-calm -d 'Service time after which a crash counts as the first again [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l restart-intensity -d 'Give up after more crashes than this; `off`: never [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-certfile -d 'Certificate chain in PEM, which turns TLS on; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-keyfile -d 'Private key of the certificate, in PEM; one for each, in the same order' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-ocsp -d 'OCSP response to staple, in DER; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-ca-certs -d 'Who may sign clients\' certificates, in PEM' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-cert-reqs -d 'Clients\' certificates: `none`, `optional` or `required` [default: none]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-min-version -d 'Oldest TLS version that is spoken: `1.2` or `1.3` [default: 1.2]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ssl-ticket-rotation -d 'How often the keys change with which clients resume sessions [default: 12h]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l insecure-bind -d 'TCP address without TLS beside those with it; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-handshake -d 'How long a TLS handshake may take [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-first-byte -d 'How long a new connection may say nothing [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-body -d 'How long a request\'s body may come too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l min-rate-body -d 'Bytes of a body per second that a client has to send [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-write -d 'How long a client may take an answer too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l min-rate-write -d 'Bytes of an answer per second that a client has to take [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l timeout-request -d 'How long a request may take, from its head to the end of its answer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-request-line -d 'The longest first line of a request [default: 8KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-header-size -d 'The largest head of a request, its first line included [default: 32KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-headers -d 'The most fields in the head of a request [default: 100]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-body -d 'The largest body of a request [default: 64MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-connections -d 'The most connections that may be open at all workers [default: 65536]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-worker-connections -d 'The most connections that may be open at one worker [default: 16384]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-peer-connections -d 'The most connections that one address may have open at all workers [default: 1024]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-concurrency -d 'The most requests that one worker answers at a time [default: 8192]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-h2-streams -d 'The most requests of one HTTP/2 connection at a time [default: 128]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-h2-resets -d 'Streams that an HTTP/2 client may open and reset at a time [default: 20]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-h2-cancels -d 'Requests that an HTTP/2 client may take back within ten seconds [default: 500]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l limit-h2-frames -d 'Frames an HTTP/2 client may send within ten seconds that ask for nothing [default: 10000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l ws-max-size -d 'The largest message that may come over a WebSocket [default: 16MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l http -d 'Which versions of HTTP are spoken [default: both]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l http2-ping -d 'How long a client of HTTP/2 may be silent before it is pinged [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l header -d 'Add this header to answers; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l forwarded-allow-ips -d 'Whose forwarded headers are believed [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l forwarded-header -d 'Which headers a proxy writes: `x-forwarded` or `forwarded` [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l root-path -d 'The path under which a proxy shows this service' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l proxy-protocol-from -d 'Who speaks the PROXY protocol [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l access-log -d 'Write a line for every request: to a file, or `-` [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l access-log-format -d '`common`, `combined`, `json`, or text with fields in braces [default: combined]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l access-log-sample -d 'Write one of so many requests, by chance [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l access-log-slower-than -d 'Write only requests that took longer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l offload-threads -d 'The most threads of a worker for jobs that block [default: 40]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l offload-cpu-threads -d 'The most threads of a worker for jobs that compute [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l offload-queue -d 'How many jobs may wait for a thread [default: 400]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l offload-wait -d 'How long a job may wait for a thread [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l offload-timeout -d 'How long a job may take, its wait included [default: 60s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l log-level -d 'The least important lines to write [default: info]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l log-format -d 'The form of the log [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l cpu-affinity -d 'Bind each worker to a CPU of its own'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-cpu-affinity -d 'Undo --cpu-affinity'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l server-header -d 'Add `server: brigade` to answers'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-server-header -d 'Undo --server-header'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l date-header -d 'Add the date to answers'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-date-header -d 'Undo --date-header'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l proxy-headers -d 'Believe what trusted proxies say of the client'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-proxy-headers -d 'Undo --proxy-headers'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l request-id -d 'Give every request an id, in `x-request-id`'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-request-id -d 'Undo --request-id'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l proxy-protocol -d 'Take the client\'s address from the PROXY protocol'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-proxy-protocol -d 'Undo --proxy-protocol'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -l no-access-log -d 'Undo --access-log'
complete -c brigade -n "__fish_brigade_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l index -d 'The file that stands for its directory [default: index.html]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l spa -d 'The page of a single-page app, by its path in DIR: the answer where nothing exists, unless the path\'s last part has a dot' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l cache-control -d 'The cache-control header of files, for instance \'public, max-age=3600\'' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -s c -l config -d 'Configuration file [default: brigade.toml if there is one]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l host -d 'Address or name to listen at [default: 127.0.0.1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l port -d 'TCP port to listen at; 0 takes a free one [default: 8000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l uds -d 'Listen at a Unix socket instead of a TCP port' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l fd -d 'Listen at a socket that the parent process left open' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l bind -d 'Place to listen at; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l backlog -d 'Connections that may wait in the kernel for each socket [default: 2048]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l balance -d 'How workers share new connections: `slots` or `shared` [default: slots]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l admin -d 'Place to answer /startupz, /livez, /readyz and /metrics at' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l workers -d 'How many workers; `auto`: as usable CPUs; `2..8`: by load [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ready -d 'When a program of `brigade exec` counts as ready [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ready-when -d 'How many workers make the service ready [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l user -d 'Run workers as this user (name or number)' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l group -d 'Run workers as this group (name or number); needs `user`' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l umask -d 'File mode creation mask of supervisor and workers' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l pid-file -d 'Write the supervisor\'s process number to this file' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-start -d 'How long a worker may take to become ready [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-header -d 'How long a request\'s head may take to arrive [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-keep-alive -d 'How long a connection may be idle between two requests [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l stall-warn -d 'How long a worker may stand still before others serve for it [default: 250ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-worker -d 'How long a worker may stand still before it is ended [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-graceful-shutdown -d 'How long a leaving worker may finish open requests [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-lame-duck -d 'How long a leaving worker still serves idle connections [default: 500ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-hooks -d 'How long the app\'s own last acts may take when a worker leaves [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-kill -d 'How long a worker may take to leave when told to leave at once [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l reload-surge -d 'Extra workers that a reload may use at a time [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l reload-max-unavailable -d 'Workers that may be missing while a reload runs [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l reload-probation -d 'How long the first new worker is on probation [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l reload-max-lingering -d 'Old generations that may linger; the oldest is cut [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-max-requests -d 'Replace a worker after so many requests [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-max-requests-jitter -d 'And up to so many requests more, by chance [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-worker-lifetime -d 'Replace a worker after so much time [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-worker-memory -d 'Replace a worker that uses so much memory [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l recycle-at-most -d 'Workers replaced at a time because of a limit [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l start-attempts -d 'Failures to start per worker before the first start is given up [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l restart-delay -d 'The pause after a second crash in a row; it doubles from there [default: 100ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l restart-delay-max -d 'The longest pause between two restarts [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l restart-calm -d 'Service time after which a crash counts as the first again [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l restart-intensity -d 'Give up after more crashes than this; `off`: never [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-certfile -d 'Certificate chain in PEM, which turns TLS on; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-keyfile -d 'Private key of the certificate, in PEM; one for each, in the same order' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-ocsp -d 'OCSP response to staple, in DER; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-ca-certs -d 'Who may sign clients\' certificates, in PEM' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-cert-reqs -d 'Clients\' certificates: `none`, `optional` or `required` [default: none]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-min-version -d 'Oldest TLS version that is spoken: `1.2` or `1.3` [default: 1.2]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ssl-ticket-rotation -d 'How often the keys change with which clients resume sessions [default: 12h]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l insecure-bind -d 'TCP address without TLS beside those with it; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-handshake -d 'How long a TLS handshake may take [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-first-byte -d 'How long a new connection may say nothing [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-body -d 'How long a request\'s body may come too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l min-rate-body -d 'Bytes of a body per second that a client has to send [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-write -d 'How long a client may take an answer too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l min-rate-write -d 'Bytes of an answer per second that a client has to take [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l timeout-request -d 'How long a request may take, from its head to the end of its answer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-request-line -d 'The longest first line of a request [default: 8KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-header-size -d 'The largest head of a request, its first line included [default: 32KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-headers -d 'The most fields in the head of a request [default: 100]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-body -d 'The largest body of a request [default: 64MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-connections -d 'The most connections that may be open at all workers [default: 65536]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-worker-connections -d 'The most connections that may be open at one worker [default: 16384]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-peer-connections -d 'The most connections that one address may have open at all workers [default: 1024]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-concurrency -d 'The most requests that one worker answers at a time [default: 8192]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-h2-streams -d 'The most requests of one HTTP/2 connection at a time [default: 128]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-h2-resets -d 'Streams that an HTTP/2 client may open and reset at a time [default: 20]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-h2-cancels -d 'Requests that an HTTP/2 client may take back within ten seconds [default: 500]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l limit-h2-frames -d 'Frames an HTTP/2 client may send within ten seconds that ask for nothing [default: 10000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l ws-max-size -d 'The largest message that may come over a WebSocket [default: 16MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l http -d 'Which versions of HTTP are spoken [default: both]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l http2-ping -d 'How long a client of HTTP/2 may be silent before it is pinged [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l header -d 'Add this header to answers; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l forwarded-allow-ips -d 'Whose forwarded headers are believed [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l forwarded-header -d 'Which headers a proxy writes: `x-forwarded` or `forwarded` [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l root-path -d 'The path under which a proxy shows this service' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l proxy-protocol-from -d 'Who speaks the PROXY protocol [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l access-log -d 'Write a line for every request: to a file, or `-` [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l access-log-format -d '`common`, `combined`, `json`, or text with fields in braces [default: combined]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l access-log-sample -d 'Write one of so many requests, by chance [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l access-log-slower-than -d 'Write only requests that took longer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l offload-threads -d 'The most threads of a worker for jobs that block [default: 40]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l offload-cpu-threads -d 'The most threads of a worker for jobs that compute [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l offload-queue -d 'How many jobs may wait for a thread [default: 400]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l offload-wait -d 'How long a job may wait for a thread [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l offload-timeout -d 'How long a job may take, its wait included [default: 60s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l log-level -d 'The least important lines to write [default: info]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l log-format -d 'The form of the log [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand static" -l precompressed -d 'Send FILE.br, FILE.zst or FILE.gz, where it lies beside FILE, to clients that take it'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l cpu-affinity -d 'Bind each worker to a CPU of its own'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-cpu-affinity -d 'Undo --cpu-affinity'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l server-header -d 'Add `server: brigade` to answers'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-server-header -d 'Undo --server-header'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l date-header -d 'Add the date to answers'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-date-header -d 'Undo --date-header'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l proxy-headers -d 'Believe what trusted proxies say of the client'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-proxy-headers -d 'Undo --proxy-headers'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l request-id -d 'Give every request an id, in `x-request-id`'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-request-id -d 'Undo --request-id'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l proxy-protocol -d 'Take the client\'s address from the PROXY protocol'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-proxy-protocol -d 'Undo --proxy-protocol'
complete -c brigade -n "__fish_brigade_using_subcommand static" -l no-access-log -d 'Undo --access-log'
complete -c brigade -n "__fish_brigade_using_subcommand static" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c brigade -n "__fish_brigade_using_subcommand check" -s c -l config -d 'Configuration file [default: brigade.toml if there is one]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l host -d 'Address or name to listen at [default: 127.0.0.1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l port -d 'TCP port to listen at; 0 takes a free one [default: 8000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l uds -d 'Listen at a Unix socket instead of a TCP port' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l fd -d 'Listen at a socket that the parent process left open' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l bind -d 'Place to listen at; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l backlog -d 'Connections that may wait in the kernel for each socket [default: 2048]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l balance -d 'How workers share new connections: `slots` or `shared` [default: slots]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l admin -d 'Place to answer /startupz, /livez, /readyz and /metrics at' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l workers -d 'How many workers; `auto`: as usable CPUs; `2..8`: by load [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ready -d 'When a program of `brigade exec` counts as ready [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ready-when -d 'How many workers make the service ready [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l user -d 'Run workers as this user (name or number)' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l group -d 'Run workers as this group (name or number); needs `user`' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l umask -d 'File mode creation mask of supervisor and workers' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l pid-file -d 'Write the supervisor\'s process number to this file' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-start -d 'How long a worker may take to become ready [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-header -d 'How long a request\'s head may take to arrive [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-keep-alive -d 'How long a connection may be idle between two requests [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l stall-warn -d 'How long a worker may stand still before others serve for it [default: 250ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-worker -d 'How long a worker may stand still before it is ended [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-graceful-shutdown -d 'How long a leaving worker may finish open requests [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-lame-duck -d 'How long a leaving worker still serves idle connections [default: 500ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-hooks -d 'How long the app\'s own last acts may take when a worker leaves [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-kill -d 'How long a worker may take to leave when told to leave at once [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l reload-surge -d 'Extra workers that a reload may use at a time [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l reload-max-unavailable -d 'Workers that may be missing while a reload runs [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l reload-probation -d 'How long the first new worker is on probation [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l reload-max-lingering -d 'Old generations that may linger; the oldest is cut [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-max-requests -d 'Replace a worker after so many requests [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-max-requests-jitter -d 'And up to so many requests more, by chance [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-worker-lifetime -d 'Replace a worker after so much time [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-worker-memory -d 'Replace a worker that uses so much memory [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l recycle-at-most -d 'Workers replaced at a time because of a limit [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l start-attempts -d 'Failures to start per worker before the first start is given up [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l restart-delay -d 'The pause after a second crash in a row; it doubles from there [default: 100ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l restart-delay-max -d 'The longest pause between two restarts [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l restart-calm -d 'Service time after which a crash counts as the first again [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l restart-intensity -d 'Give up after more crashes than this; `off`: never [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-certfile -d 'Certificate chain in PEM, which turns TLS on; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-keyfile -d 'Private key of the certificate, in PEM; one for each, in the same order' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-ocsp -d 'OCSP response to staple, in DER; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-ca-certs -d 'Who may sign clients\' certificates, in PEM' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-cert-reqs -d 'Clients\' certificates: `none`, `optional` or `required` [default: none]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-min-version -d 'Oldest TLS version that is spoken: `1.2` or `1.3` [default: 1.2]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ssl-ticket-rotation -d 'How often the keys change with which clients resume sessions [default: 12h]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l insecure-bind -d 'TCP address without TLS beside those with it; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-handshake -d 'How long a TLS handshake may take [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-first-byte -d 'How long a new connection may say nothing [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-body -d 'How long a request\'s body may come too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l min-rate-body -d 'Bytes of a body per second that a client has to send [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-write -d 'How long a client may take an answer too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l min-rate-write -d 'Bytes of an answer per second that a client has to take [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l timeout-request -d 'How long a request may take, from its head to the end of its answer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-request-line -d 'The longest first line of a request [default: 8KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-header-size -d 'The largest head of a request, its first line included [default: 32KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-headers -d 'The most fields in the head of a request [default: 100]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-body -d 'The largest body of a request [default: 64MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-connections -d 'The most connections that may be open at all workers [default: 65536]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-worker-connections -d 'The most connections that may be open at one worker [default: 16384]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-peer-connections -d 'The most connections that one address may have open at all workers [default: 1024]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-concurrency -d 'The most requests that one worker answers at a time [default: 8192]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-h2-streams -d 'The most requests of one HTTP/2 connection at a time [default: 128]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-h2-resets -d 'Streams that an HTTP/2 client may open and reset at a time [default: 20]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-h2-cancels -d 'Requests that an HTTP/2 client may take back within ten seconds [default: 500]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l limit-h2-frames -d 'Frames an HTTP/2 client may send within ten seconds that ask for nothing [default: 10000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l ws-max-size -d 'The largest message that may come over a WebSocket [default: 16MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l http -d 'Which versions of HTTP are spoken [default: both]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l http2-ping -d 'How long a client of HTTP/2 may be silent before it is pinged [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l header -d 'Add this header to answers; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l forwarded-allow-ips -d 'Whose forwarded headers are believed [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l forwarded-header -d 'Which headers a proxy writes: `x-forwarded` or `forwarded` [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l root-path -d 'The path under which a proxy shows this service' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l proxy-protocol-from -d 'Who speaks the PROXY protocol [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l access-log -d 'Write a line for every request: to a file, or `-` [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l access-log-format -d '`common`, `combined`, `json`, or text with fields in braces [default: combined]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l access-log-sample -d 'Write one of so many requests, by chance [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l access-log-slower-than -d 'Write only requests that took longer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l offload-threads -d 'The most threads of a worker for jobs that block [default: 40]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l offload-cpu-threads -d 'The most threads of a worker for jobs that compute [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l offload-queue -d 'How many jobs may wait for a thread [default: 400]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l offload-wait -d 'How long a job may wait for a thread [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l offload-timeout -d 'How long a job may take, its wait included [default: 60s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l log-level -d 'The least important lines to write [default: info]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l log-format -d 'The form of the log [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand check" -l cpu-affinity -d 'Bind each worker to a CPU of its own'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-cpu-affinity -d 'Undo --cpu-affinity'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l server-header -d 'Add `server: brigade` to answers'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-server-header -d 'Undo --server-header'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l date-header -d 'Add the date to answers'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-date-header -d 'Undo --date-header'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l proxy-headers -d 'Believe what trusted proxies say of the client'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-proxy-headers -d 'Undo --proxy-headers'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l request-id -d 'Give every request an id, in `x-request-id`'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-request-id -d 'Undo --request-id'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l proxy-protocol -d 'Take the client\'s address from the PROXY protocol'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-proxy-protocol -d 'Undo --proxy-protocol'
complete -c brigade -n "__fish_brigade_using_subcommand check" -l no-access-log -d 'Undo --access-log'
complete -c brigade -n "__fish_brigade_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c brigade -n "__fish_brigade_using_subcommand schema" -s h -l help -d 'Print help'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l static -d 'For brigade static: serve the files of this directory' -r -F
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l index -d 'The file that stands for its directory [default: index.html]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l spa -d 'The page of a single-page app, by its path in DIR: the answer where nothing exists, unless the path\'s last part has a dot' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l cache-control -d 'The cache-control header of files, for instance \'public, max-age=3600\'' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -s c -l config -d 'Configuration file [default: brigade.toml if there is one]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l host -d 'Address or name to listen at [default: 127.0.0.1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l port -d 'TCP port to listen at; 0 takes a free one [default: 8000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l uds -d 'Listen at a Unix socket instead of a TCP port' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l fd -d 'Listen at a socket that the parent process left open' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l bind -d 'Place to listen at; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l backlog -d 'Connections that may wait in the kernel for each socket [default: 2048]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l balance -d 'How workers share new connections: `slots` or `shared` [default: slots]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l admin -d 'Place to answer /startupz, /livez, /readyz and /metrics at' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l workers -d 'How many workers; `auto`: as usable CPUs; `2..8`: by load [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ready -d 'When a program of `brigade exec` counts as ready [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ready-when -d 'How many workers make the service ready [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l user -d 'Run workers as this user (name or number)' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l group -d 'Run workers as this group (name or number); needs `user`' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l umask -d 'File mode creation mask of supervisor and workers' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l pid-file -d 'Write the supervisor\'s process number to this file' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-start -d 'How long a worker may take to become ready [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-header -d 'How long a request\'s head may take to arrive [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-keep-alive -d 'How long a connection may be idle between two requests [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l stall-warn -d 'How long a worker may stand still before others serve for it [default: 250ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-worker -d 'How long a worker may stand still before it is ended [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-graceful-shutdown -d 'How long a leaving worker may finish open requests [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-lame-duck -d 'How long a leaving worker still serves idle connections [default: 500ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-hooks -d 'How long the app\'s own last acts may take when a worker leaves [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-kill -d 'How long a worker may take to leave when told to leave at once [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l reload-surge -d 'Extra workers that a reload may use at a time [default: 100%]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l reload-max-unavailable -d 'Workers that may be missing while a reload runs [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l reload-probation -d 'How long the first new worker is on probation [default: 2s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l reload-max-lingering -d 'Old generations that may linger; the oldest is cut [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-max-requests -d 'Replace a worker after so many requests [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-max-requests-jitter -d 'And up to so many requests more, by chance [default: 0]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-worker-lifetime -d 'Replace a worker after so much time [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-worker-memory -d 'Replace a worker that uses so much memory [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l recycle-at-most -d 'Workers replaced at a time because of a limit [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l start-attempts -d 'Failures to start per worker before the first start is given up [default: 3]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l restart-delay -d 'The pause after a second crash in a row; it doubles from there [default: 100ms]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l restart-delay-max -d 'The longest pause between two restarts [default: 30s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l restart-calm -d 'Service time after which a crash counts as the first again [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l restart-intensity -d 'Give up after more crashes than this; `off`: never [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-certfile -d 'Certificate chain in PEM, which turns TLS on; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-keyfile -d 'Private key of the certificate, in PEM; one for each, in the same order' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-ocsp -d 'OCSP response to staple, in DER; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-ca-certs -d 'Who may sign clients\' certificates, in PEM' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-cert-reqs -d 'Clients\' certificates: `none`, `optional` or `required` [default: none]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-min-version -d 'Oldest TLS version that is spoken: `1.2` or `1.3` [default: 1.2]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ssl-ticket-rotation -d 'How often the keys change with which clients resume sessions [default: 12h]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l insecure-bind -d 'TCP address without TLS beside those with it; may be repeated' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-handshake -d 'How long a TLS handshake may take [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-first-byte -d 'How long a new connection may say nothing [default: 10s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-body -d 'How long a request\'s body may come too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l min-rate-body -d 'Bytes of a body per second that a client has to send [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-write -d 'How long a client may take an answer too slowly [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l min-rate-write -d 'Bytes of an answer per second that a client has to take [default: 250]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l timeout-request -d 'How long a request may take, from its head to the end of its answer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-request-line -d 'The longest first line of a request [default: 8KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-header-size -d 'The largest head of a request, its first line included [default: 32KiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-headers -d 'The most fields in the head of a request [default: 100]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-body -d 'The largest body of a request [default: 64MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-connections -d 'The most connections that may be open at all workers [default: 65536]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-worker-connections -d 'The most connections that may be open at one worker [default: 16384]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-peer-connections -d 'The most connections that one address may have open at all workers [default: 1024]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-concurrency -d 'The most requests that one worker answers at a time [default: 8192]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-h2-streams -d 'The most requests of one HTTP/2 connection at a time [default: 128]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-h2-resets -d 'Streams that an HTTP/2 client may open and reset at a time [default: 20]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-h2-cancels -d 'Requests that an HTTP/2 client may take back within ten seconds [default: 500]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l limit-h2-frames -d 'Frames an HTTP/2 client may send within ten seconds that ask for nothing [default: 10000]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l ws-max-size -d 'The largest message that may come over a WebSocket [default: 16MiB]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l http -d 'Which versions of HTTP are spoken [default: both]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l http2-ping -d 'How long a client of HTTP/2 may be silent before it is pinged [default: 20s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l header -d 'Add this header to answers; may be given several times' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l forwarded-allow-ips -d 'Whose forwarded headers are believed [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l forwarded-header -d 'Which headers a proxy writes: `x-forwarded` or `forwarded` [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l root-path -d 'The path under which a proxy shows this service' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l proxy-protocol-from -d 'Who speaks the PROXY protocol [default: 127.0.0.1, ::1, unix]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l access-log -d 'Write a line for every request: to a file, or `-` [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l access-log-format -d '`common`, `combined`, `json`, or text with fields in braces [default: combined]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l access-log-sample -d 'Write one of so many requests, by chance [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l access-log-slower-than -d 'Write only requests that took longer [default: off]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l offload-threads -d 'The most threads of a worker for jobs that block [default: 40]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l offload-cpu-threads -d 'The most threads of a worker for jobs that compute [default: 1]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l offload-queue -d 'How many jobs may wait for a thread [default: 400]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l offload-wait -d 'How long a job may wait for a thread [default: 5s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l offload-timeout -d 'How long a job may take, its wait included [default: 60s]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l log-level -d 'The least important lines to write [default: info]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l log-format -d 'The form of the log [default: auto]' -r
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l socket -d 'Print the socket unit instead, with which systemd holds the addresses'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l precompressed -d 'Send FILE.br, FILE.zst or FILE.gz, where it lies beside FILE, to clients that take it'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l cpu-affinity -d 'Bind each worker to a CPU of its own'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-cpu-affinity -d 'Undo --cpu-affinity'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l server-header -d 'Add `server: brigade` to answers'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-server-header -d 'Undo --server-header'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l date-header -d 'Add the date to answers'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-date-header -d 'Undo --date-header'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l proxy-headers -d 'Believe what trusted proxies say of the client'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-proxy-headers -d 'Undo --proxy-headers'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l request-id -d 'Give every request an id, in `x-request-id`'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-request-id -d 'Undo --request-id'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l proxy-protocol -d 'Take the client\'s address from the PROXY protocol'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-proxy-protocol -d 'Undo --proxy-protocol'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -l no-access-log -d 'Undo --access-log'
complete -c brigade -n "__fish_brigade_using_subcommand unit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c brigade -n "__fish_brigade_using_subcommand completions" -s h -l help -d 'Print help'
complete -c brigade -n "__fish_brigade_using_subcommand man" -s h -l help -d 'Print help'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "serve" -d 'Serve the app of this binary'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "exec" -d 'Run any program as workers; it gets its sockets by the LISTEN_FDS protocol'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "static" -d 'Serve the files of a directory'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "check" -d 'Validate the configuration and print every value with its origin; binds nothing'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "schema" -d 'Print the JSON Schema of brigade.toml, for editors'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "unit" -d 'Print a systemd unit that fits the configuration'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "man" -d 'Print the manual page, or that of one command'
complete -c brigade -n "__fish_brigade_using_subcommand help; and not __fish_seen_subcommand_from serve exec static check schema unit completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
