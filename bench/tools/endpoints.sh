#!/bin/sh
# Many machines behind one sshd: each user is locked into a root of its own, with its own files of K3s.
set -eu
mkdir -p /run/sshd
echo 'ALL ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/endpoints; chmod 0440 /etc/sudoers.d/endpoints
cp /stub/stub-k3s.sh /usr/local/bin/k3s
chown -R root /keys
for number in $(seq "$1"); do
  root=/nodes/n$number
  echo "n$number:*:$((2000 + number)):100::/:/bin/sh" >> /etc/passwd
  mkdir -p "$root/usr" "$root/etc" "$root/dev" "$root/proc" "$root/tmp" "$root/run" "$root/var/lib/rancher/k3s"
  chmod 1777 "$root/tmp"
  for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
  for path in usr etc dev proc; do mount --rbind "/$path" "$root/$path"; done
done
exec /usr/sbin/sshd -D -e -o UsePAM=no -o StrictModes=no -o MaxStartups=300 -o LogLevel=ERROR -o UseDNS=no \
  -o HostKey=/keys/host -o AuthorizedKeysFile=/keys/authorized_keys -o ChrootDirectory=/nodes/%u -f /dev/null \
  -o 'Subsystem=sftp internal-sftp'
