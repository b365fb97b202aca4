# SPDX-License-Identifier: MIT
# fish completion for rstdiag-send(1)

# The names are those of the table that is asked for.
function __rstdiag_send_codes
    set -l words (commandline -opc)
    set -l registry ietf-03
    if set -l i (contains -i -- --registry $words)
        set registry $words[(math $i + 1)]
    end
    rstdiag-send --list-codes --registry $registry 2>/dev/null |
        string replace -r '^\d+ (\S+) (.*)$' '$1\t$2'
end

set -l c complete -c rstdiag-send
$c -f
$c -l answer -d 'answer the segments that arrive and match'
$c -l listen -x -d 'answer what arrives for this TCP port'
$c -l reset -d 'end connections, with numbers found by watching'
$c -l list-codes -d 'show the reason codes'
$c -s D -l list-interfaces -d 'show the interfaces that -i takes'
$c -l src -x -d source
$c -l dst -x -d destination
$c -l seq -x -d 'sequence number'
$c -l ack -x -d 'acknowledgment number'
$c -l flags -x -a 'rst rst,ack' -d flags
$c -l ttl -x -d 'time to live or hop limit'
$c -l window -x -d window
$c -l ip-id -x -d 'IPv4 identification'
$c -l traffic-class -x -d 'traffic class or type of service'
$c -l tcp-options -x -d 'TCP options'
$c -l badsum -d 'make the TCP checksum wrong'
$c -l code -x -a '(__rstdiag_send_codes)' -d reason
$c -l pen -x -d 'the code is of this vendor'
$c -l description -x -d 'reason in words'
$c -l format -x -a 'compact free-text cbor-seq cbor-array cbor-map b13 b14 json linux-exp text' -d 'payload format'
$c -l registry -x -a 'ietf-03 ietf-00 2022 first' -d 'table of the code names'
$c -l role -x -a 'endpoint middlebox' -d 'who we are'
$c -l payload-hex -x -d 'any payload'
$c -l also-empty -d 'send a reset without payload after it'
$c -s i -l interface -x -a "(rstdiag-send -D 2>/dev/null | string split -f 1 ' ')" -d 'watch or send there'
$c -s r -l read -r -F -d 'watch a capture file instead'
$c -s w -l write -r -F -d 'write the packets to a capture file'
$c -l dry-run -d 'show the packets, send nothing'
$c -l payload-only -d 'write just the octets of the payload'
$c -s o -l output -r -F -d 'text, JSON and payloads go there'
$c -s n -l numeric -d 'no name lookups'
$c -s s -l snapshot-length -x -d 'octets captured of each packet'
$c -l promiscuous -d 'watch what is not for this machine, too'
$c -l rules -r -F -d 'which segments get which reason'
$c -l both -d 'reset the source of the segments as well'
$c -l watch -x -d 'wait so long before probing'
$c -l probe -d 'probe at once'
$c -l no-probe -d 'never probe'
$c -l spray -x -d 'resets for each number found'
$c -l spray-step -x -d 'how far SEQ rises'
$c -s c -l count -x -d 'send or answer so often'
$c -l rate -x -d 'at most so many a second'
$c -s m -l max-time -x -d 'give up after so long'
$c -s Z -l relinquish-privileges -x -a '(__fish_complete_users)' -d 'become this user'
$c -s q -l quiet -d 'no echo, no notices, no summary'
$c -s v -l verbose -d 'say more'
$c -s j -l json -d 'one JSON object per line'
$c -l color -x -a 'auto always never' -d 'colour the output'
$c -s h -l help -d 'show help'
$c -s V -l version -d 'show the version'
