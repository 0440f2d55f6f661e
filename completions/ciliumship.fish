# fish completion of ciliumship; made by: ciliumship completion fish
function __ciliumship_complete
    set -l words (commandline -opc)
    set -l found ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c ciliumship -f -a '(__ciliumship_complete)'
