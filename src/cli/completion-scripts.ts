/** The shells' side of completion: each asks `vipd complete` for the words and shows what comes back. */

export type Shell = 'bash' | 'zsh' | 'fish'

// bash cuts words at "=" and ":" too; what is typed behind one of them is completed as a word of its own.
const bash = `# bash completion of vipd
_vipd() {
  local line word also=nothing
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) also=\${line#:} ;;
      *)
        word=\${line%%$'\\t'*}
        COMPREPLY+=("$(printf '%q' "$word")")
        ;;
    esac
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case $also in
    files) compopt -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
  esac
}
complete -F _vipd vipd
`

const zsh = `#compdef vipd
# zsh completion of vipd
_vipd() {
  local line also=nothing
  local -a found
  while IFS= read -r line; do
    case $line in
      :*) also=\${line#:} ;;
      *$'\\t'*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) found+=("\${line//:/\\\\:}") ;;
    esac
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe vipd found
  case $also in
    files) _files ;;
    directories) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _vipd ]]; then _vipd "$@"; else compdef _vipd vipd; fi
`

const fish = `# fish completion of vipd
function __vipd_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l also nothing
    for line in ($words[1] complete -- $words[2..] 2>/dev/null)
        if string match -q ':*' -- $line
            set also (string sub -s 2 -- $line)
        else
            echo $line
        end
    end
    switch $also
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
    end
end
complete -c vipd -f -a '(__vipd_complete)'
`

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
