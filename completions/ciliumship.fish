# fish completion of ciliumship; made by: ciliumship completion fish
function __ciliumship_complete
    set -l words (commandline -opc)
    $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c ciliumship -a '(__ciliumship_complete)'
