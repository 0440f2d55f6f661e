export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** The hidden word that asks for candidates: `ciliumship __complete WORD…`, the last being typed. */
export const ASK = '__complete';

/** Answers are `candidate TAB meaning`, one a line; a shell completes files where there are none. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  // COMP_WORDS is split at `=` and `:` too; what is asked for is the words as they were typed.
  bash: `# bash completion of ciliumship; made by: ciliumship completion bash
_ciliumship() {
  local line words current candidate
  line=\${COMP_LINE:0:COMP_POINT}
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    # readline replaces only what follows the last = or :
    [[ $candidate == "$current"* ]] && COMPREPLY+=("\${candidate:\${#current}-\${#2}}")
  done < <("\${words[0]/#\\~/$HOME}" ${ASK} "\${words[@]:1}" 2>/dev/null)
  [[ \${COMPREPLY[0]} == *, ]] && compopt -o nospace
  return 0
}
complete -o default -F _ciliumship ciliumship
`,
  zsh: `#compdef ciliumship
# zsh completion of ciliumship; made by: ciliumship completion zsh
_ciliumship() {
  local -a found
  local candidate meaning
  while IFS=$'\\t' read -r candidate meaning; do
    found+=("\${candidate//:/\\\\:}\${meaning:+:$meaning}")
  done < <("\${words[1]}" ${ASK} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then
    _describe -V ciliumship found
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_ciliumship" ]; then
  _ciliumship "$@"
else
  compdef _ciliumship ciliumship
fi
`,
  fish: `# fish completion of ciliumship; made by: ciliumship completion fish
function __ciliumship_complete
    set -l words (commandline -opc)
    set -l found ($words[1] ${ASK} $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c ciliumship -f -a '(__ciliumship_complete)'
`,
};

/** The script that makes a shell ask us. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
