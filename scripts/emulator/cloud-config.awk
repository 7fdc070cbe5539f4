# Does what cloud-init would do with the files of a seat's user data, as seatbox writes it: those of
# write_files, and the commands of bootcmd as bootcmd.sh, below the directory `root`.

function begin(path, directory) {
    directory = path
    sub(/\/[^\/]*$/, "", directory)
    if (!(directory in made)) {
        system("mkdir -p '" root directory "'")
        made[directory] = 1
    }
    file = root path
    printf "" >file
}

function end() {
    if (file == "") return
    close(file)
    if (mode != "") system("chmod " mode " '" file "'")
    file = mode = ""
}

/^[^ ]/ {
    end()
    section = $1
    next
}

section == "bootcmd:" && /^  - \|$/ {
    begin("/bootcmd.sh")
    next
}

section == "bootcmd:" && file != "" {
    sub(/^    /, "")
    print >file
}

section == "write_files:" && /^  - path: / {
    end()
    path = $3
    next
}

section == "write_files:" && file == "" && /^    permissions: / {
    mode = $2
    gsub(/"/, "", mode)
    next
}

section == "write_files:" && file == "" && /^    content: \|$/ {
    begin(path)
    next
}

section == "write_files:" && file != "" {
    sub(/^      /, "")
    print >file
}

END { end() }
