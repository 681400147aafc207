#!/bin/sh
# systemctl as the maintainer scripts use it, where there is no systemd: vipd.service as its unit would run it.
# /run/systemctl-offline: as in a chroot. /run/systemctl-refuses: words that it does not obey. /run/systemctl-load-state: other than loaded.
pid=/run/vipd-service.pid
# The lab's first process may leave a dead one as a zombie.
alive() { [ -s $pid ] && grep -q '^State:[[:space:]][^ZX]' "/proc/$(cat $pid)/status" 2> /dev/null; }
stop() {
  alive || return 0
  kill "$(cat $pid)"
  while alive; do sleep 0.05; done
  rm $pid
}
start() {
  ! alive || return 0
  [ ! -S /run/vipd-notify ] || export NOTIFY_SOCKET=/run/vipd-notify
  setsid /usr/bin/vipd run >> /run/vipd-service.log 2>&1 < /dev/null &
  echo $! > $pid
  # Type=notify: started is ready. Before that it says that it is still starting, and no status.
  while alive; do
    [ -z "$(vipd status 2> /dev/null)" ] || return 0
    sleep 0.05
  done
  return 1
}
if [ -e /run/systemctl-offline ]; then
  echo "Running in chroot, ignoring command '$1'" >&2
  exit 0
fi
for word; do
  ! grep -qsxe "$word" /run/systemctl-refuses || exit 1
  case $word in
    is-active) alive; exit ;;
    LoadState) cat /run/systemctl-load-state 2> /dev/null || echo loaded; exit ;;
    MainPID) if alive; then cat $pid; else echo 0; fi; exit ;;
    kill) kill -KILL "$(cat $pid)"; while alive; do sleep 0.05; done; exit ;;
    start) start; exit ;;
    stop) stop; exit ;;
    restart) stop; start; exit ;;
  esac
done
