_brigade() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="brigade"
                ;;
            brigade,check)
                cmd="brigade__subcmd__check"
                ;;
            brigade,completions)
                cmd="brigade__subcmd__completions"
                ;;
            brigade,exec)
                cmd="brigade__subcmd__exec"
                ;;
            brigade,help)
                cmd="brigade__subcmd__help"
                ;;
            brigade,man)
                cmd="brigade__subcmd__man"
                ;;
            brigade,schema)
                cmd="brigade__subcmd__schema"
                ;;
            brigade,serve)
                cmd="brigade__subcmd__serve"
                ;;
            brigade,static)
                cmd="brigade__subcmd__static"
                ;;
            brigade,unit)
                cmd="brigade__subcmd__unit"
                ;;
            brigade__subcmd__help,check)
                cmd="brigade__subcmd__help__subcmd__check"
                ;;
            brigade__subcmd__help,completions)
                cmd="brigade__subcmd__help__subcmd__completions"
                ;;
            brigade__subcmd__help,exec)
                cmd="brigade__subcmd__help__subcmd__exec"
                ;;
            brigade__subcmd__help,help)
                cmd="brigade__subcmd__help__subcmd__help"
                ;;
            brigade__subcmd__help,man)
                cmd="brigade__subcmd__help__subcmd__man"
                ;;
            brigade__subcmd__help,schema)
                cmd="brigade__subcmd__help__subcmd__schema"
                ;;
            brigade__subcmd__help,serve)
                cmd="brigade__subcmd__help__subcmd__serve"
                ;;
            brigade__subcmd__help,static)
                cmd="brigade__subcmd__help__subcmd__static"
                ;;
            brigade__subcmd__help,unit)
                cmd="brigade__subcmd__help__subcmd__unit"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        brigade)
            opts="-h -V --help --version serve exec static check schema unit completions man help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__check)
            opts="-c -h --config --host --port --uds --fd --bind --backlog --balance --admin --workers --ready --ready-when --cpu-affinity --no-cpu-affinity --user --group --umask --pid-file --timeout-start --timeout-header --timeout-keep-alive --stall-warn --timeout-worker --timeout-graceful-shutdown --timeout-lame-duck --timeout-hooks --timeout-kill --reload-surge --reload-max-unavailable --reload-probation --reload-max-lingering --limit-max-requests --limit-max-requests-jitter --limit-worker-lifetime --limit-worker-memory --recycle-at-most --start-attempts --restart-delay --restart-delay-max --restart-calm --restart-intensity --ssl-certfile --ssl-keyfile --ssl-ocsp --ssl-ca-certs --ssl-cert-reqs --ssl-min-version --ssl-ticket-rotation --insecure-bind --timeout-handshake --timeout-first-byte --timeout-body --min-rate-body --timeout-write --min-rate-write --timeout-request --limit-request-line --limit-header-size --limit-headers --limit-body --limit-connections --limit-worker-connections --limit-peer-connections --limit-concurrency --limit-h2-streams --limit-h2-resets --limit-h2-cancels --limit-h2-frames --ws-max-size --http --http2-ping --server-header --no-server-header --date-header --no-date-header --header --proxy-headers --no-proxy-headers --forwarded-allow-ips --forwarded-header --root-path --request-id --no-request-id --proxy-protocol --no-proxy-protocol --proxy-protocol-from --access-log --no-access-log --access-log-format --access-log-sample --access-log-slower-than --offload-threads --offload-cpu-threads --offload-queue --offload-wait --offload-timeout --log-level --log-format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --uds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fd)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backlog)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --balance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready-when)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --umask)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-start)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-keep-alive)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-warn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-worker)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-graceful-shutdown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-lame-duck)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-hooks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-kill)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-surge)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-unavailable)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-probation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-lingering)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests-jitter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --recycle-at-most)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --start-attempts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay-max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-calm)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-intensity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-certfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-keyfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ocsp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ca-certs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-cert-reqs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-min-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ticket-rotation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --insecure-bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-handshake)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-first-byte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-request)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-request-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-header-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-headers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-peer-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-streams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-resets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-cancels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-frames)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ws-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http2-ping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-allow-ips)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --root-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy-protocol-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-sample)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-slower-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-cpu-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-queue)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__completions)
            opts="-h --help bash elvish fish powershell zsh"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__exec)
            opts="-c -h --config --host --port --uds --fd --bind --backlog --balance --admin --workers --ready --ready-when --cpu-affinity --no-cpu-affinity --user --group --umask --pid-file --timeout-start --timeout-header --timeout-keep-alive --stall-warn --timeout-worker --timeout-graceful-shutdown --timeout-lame-duck --timeout-hooks --timeout-kill --reload-surge --reload-max-unavailable --reload-probation --reload-max-lingering --limit-max-requests --limit-max-requests-jitter --limit-worker-lifetime --limit-worker-memory --recycle-at-most --start-attempts --restart-delay --restart-delay-max --restart-calm --restart-intensity --ssl-certfile --ssl-keyfile --ssl-ocsp --ssl-ca-certs --ssl-cert-reqs --ssl-min-version --ssl-ticket-rotation --insecure-bind --timeout-handshake --timeout-first-byte --timeout-body --min-rate-body --timeout-write --min-rate-write --timeout-request --limit-request-line --limit-header-size --limit-headers --limit-body --limit-connections --limit-worker-connections --limit-peer-connections --limit-concurrency --limit-h2-streams --limit-h2-resets --limit-h2-cancels --limit-h2-frames --ws-max-size --http --http2-ping --server-header --no-server-header --date-header --no-date-header --header --proxy-headers --no-proxy-headers --forwarded-allow-ips --forwarded-header --root-path --request-id --no-request-id --proxy-protocol --no-proxy-protocol --proxy-protocol-from --access-log --no-access-log --access-log-format --access-log-sample --access-log-slower-than --offload-threads --offload-cpu-threads --offload-queue --offload-wait --offload-timeout --log-level --log-format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --uds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fd)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backlog)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --balance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready-when)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --umask)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-start)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-keep-alive)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-warn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-worker)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-graceful-shutdown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-lame-duck)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-hooks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-kill)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-surge)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-unavailable)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-probation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-lingering)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests-jitter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --recycle-at-most)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --start-attempts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay-max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-calm)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-intensity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-certfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-keyfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ocsp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ca-certs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-cert-reqs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-min-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ticket-rotation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --insecure-bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-handshake)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-first-byte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-request)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-request-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-header-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-headers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-peer-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-streams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-resets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-cancels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-frames)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ws-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http2-ping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-allow-ips)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --root-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy-protocol-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-sample)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-slower-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-cpu-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-queue)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help)
            opts="serve exec static check schema unit completions man help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__check)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__completions)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__exec)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__man)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__schema)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__serve)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__static)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__help__subcmd__unit)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__man)
            opts="-h --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__schema)
            opts="-h --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__serve)
            opts="-c -h --config --host --port --uds --fd --bind --backlog --balance --admin --workers --ready --ready-when --cpu-affinity --no-cpu-affinity --user --group --umask --pid-file --timeout-start --timeout-header --timeout-keep-alive --stall-warn --timeout-worker --timeout-graceful-shutdown --timeout-lame-duck --timeout-hooks --timeout-kill --reload-surge --reload-max-unavailable --reload-probation --reload-max-lingering --limit-max-requests --limit-max-requests-jitter --limit-worker-lifetime --limit-worker-memory --recycle-at-most --start-attempts --restart-delay --restart-delay-max --restart-calm --restart-intensity --ssl-certfile --ssl-keyfile --ssl-ocsp --ssl-ca-certs --ssl-cert-reqs --ssl-min-version --ssl-ticket-rotation --insecure-bind --timeout-handshake --timeout-first-byte --timeout-body --min-rate-body --timeout-write --min-rate-write --timeout-request --limit-request-line --limit-header-size --limit-headers --limit-body --limit-connections --limit-worker-connections --limit-peer-connections --limit-concurrency --limit-h2-streams --limit-h2-resets --limit-h2-cancels --limit-h2-frames --ws-max-size --http --http2-ping --server-header --no-server-header --date-header --no-date-header --header --proxy-headers --no-proxy-headers --forwarded-allow-ips --forwarded-header --root-path --request-id --no-request-id --proxy-protocol --no-proxy-protocol --proxy-protocol-from --access-log --no-access-log --access-log-format --access-log-sample --access-log-slower-than --offload-threads --offload-cpu-threads --offload-queue --offload-wait --offload-timeout --log-level --log-format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --uds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fd)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backlog)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --balance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready-when)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --umask)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-start)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-keep-alive)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-warn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-worker)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-graceful-shutdown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-lame-duck)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-hooks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-kill)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-surge)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-unavailable)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-probation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-lingering)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests-jitter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --recycle-at-most)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --start-attempts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay-max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-calm)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-intensity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-certfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-keyfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ocsp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ca-certs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-cert-reqs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-min-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ticket-rotation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --insecure-bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-handshake)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-first-byte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-request)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-request-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-header-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-headers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-peer-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-streams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-resets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-cancels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-frames)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ws-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http2-ping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-allow-ips)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --root-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy-protocol-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-sample)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-slower-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-cpu-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-queue)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__static)
            opts="-c -h --index --spa --precompressed --cache-control --config --host --port --uds --fd --bind --backlog --balance --admin --workers --ready --ready-when --cpu-affinity --no-cpu-affinity --user --group --umask --pid-file --timeout-start --timeout-header --timeout-keep-alive --stall-warn --timeout-worker --timeout-graceful-shutdown --timeout-lame-duck --timeout-hooks --timeout-kill --reload-surge --reload-max-unavailable --reload-probation --reload-max-lingering --limit-max-requests --limit-max-requests-jitter --limit-worker-lifetime --limit-worker-memory --recycle-at-most --start-attempts --restart-delay --restart-delay-max --restart-calm --restart-intensity --ssl-certfile --ssl-keyfile --ssl-ocsp --ssl-ca-certs --ssl-cert-reqs --ssl-min-version --ssl-ticket-rotation --insecure-bind --timeout-handshake --timeout-first-byte --timeout-body --min-rate-body --timeout-write --min-rate-write --timeout-request --limit-request-line --limit-header-size --limit-headers --limit-body --limit-connections --limit-worker-connections --limit-peer-connections --limit-concurrency --limit-h2-streams --limit-h2-resets --limit-h2-cancels --limit-h2-frames --ws-max-size --http --http2-ping --server-header --no-server-header --date-header --no-date-header --header --proxy-headers --no-proxy-headers --forwarded-allow-ips --forwarded-header --root-path --request-id --no-request-id --proxy-protocol --no-proxy-protocol --proxy-protocol-from --access-log --no-access-log --access-log-format --access-log-sample --access-log-slower-than --offload-threads --offload-cpu-threads --offload-queue --offload-wait --offload-timeout --log-level --log-format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --index)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --spa)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --uds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fd)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backlog)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --balance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready-when)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --umask)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-start)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-keep-alive)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-warn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-worker)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-graceful-shutdown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-lame-duck)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-hooks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-kill)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-surge)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-unavailable)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-probation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-lingering)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests-jitter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --recycle-at-most)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --start-attempts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay-max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-calm)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-intensity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-certfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-keyfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ocsp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ca-certs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-cert-reqs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-min-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ticket-rotation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --insecure-bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-handshake)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-first-byte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-request)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-request-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-header-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-headers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-peer-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-streams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-resets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-cancels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-frames)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ws-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http2-ping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-allow-ips)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --root-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy-protocol-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-sample)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-slower-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-cpu-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-queue)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        brigade__subcmd__unit)
            opts="-c -h --socket --static --index --spa --precompressed --cache-control --config --host --port --uds --fd --bind --backlog --balance --admin --workers --ready --ready-when --cpu-affinity --no-cpu-affinity --user --group --umask --pid-file --timeout-start --timeout-header --timeout-keep-alive --stall-warn --timeout-worker --timeout-graceful-shutdown --timeout-lame-duck --timeout-hooks --timeout-kill --reload-surge --reload-max-unavailable --reload-probation --reload-max-lingering --limit-max-requests --limit-max-requests-jitter --limit-worker-lifetime --limit-worker-memory --recycle-at-most --start-attempts --restart-delay --restart-delay-max --restart-calm --restart-intensity --ssl-certfile --ssl-keyfile --ssl-ocsp --ssl-ca-certs --ssl-cert-reqs --ssl-min-version --ssl-ticket-rotation --insecure-bind --timeout-handshake --timeout-first-byte --timeout-body --min-rate-body --timeout-write --min-rate-write --timeout-request --limit-request-line --limit-header-size --limit-headers --limit-body --limit-connections --limit-worker-connections --limit-peer-connections --limit-concurrency --limit-h2-streams --limit-h2-resets --limit-h2-cancels --limit-h2-frames --ws-max-size --http --http2-ping --server-header --no-server-header --date-header --no-date-header --header --proxy-headers --no-proxy-headers --forwarded-allow-ips --forwarded-header --root-path --request-id --no-request-id --proxy-protocol --no-proxy-protocol --proxy-protocol-from --access-log --no-access-log --access-log-format --access-log-sample --access-log-slower-than --offload-threads --offload-cpu-threads --offload-queue --offload-wait --offload-timeout --log-level --log-format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --static)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --index)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --spa)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --uds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fd)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backlog)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --balance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ready-when)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --umask)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-start)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-keep-alive)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-warn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-worker)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-graceful-shutdown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-lame-duck)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-hooks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-kill)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-surge)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-unavailable)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-probation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reload-max-lingering)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-max-requests-jitter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --recycle-at-most)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --start-attempts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-delay-max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-calm)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --restart-intensity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-certfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-keyfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ocsp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ca-certs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-cert-reqs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-min-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssl-ticket-rotation)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --insecure-bind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-handshake)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-first-byte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-rate-write)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-request)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-request-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-header-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-headers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-worker-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-peer-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-streams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-resets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-cancels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-h2-frames)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ws-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http2-ping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-allow-ips)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --forwarded-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --root-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy-protocol-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-sample)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log-slower-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-cpu-threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-queue)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --offload-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _brigade -o nosort -o bashdefault -o default brigade
else
    complete -F _brigade -o bashdefault -o default brigade
fi
