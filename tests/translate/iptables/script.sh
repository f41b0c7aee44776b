#!/bin/sh
# A firewall as a script.
IPT=iptables
iptables -F
iptables -P INPUT DROP
iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
iptables -N web 2>/dev/null || true
iptables -A INPUT -p tcp --dport 80 -j web; ip6tables -A INPUT -p tcp --dport 80 -j web
/sbin/iptables -w 5 -A web -s 10.0.0.0/8 -j ACCEPT
iptables -A web -s 192.168.0.0/16 -j ACCEPT
iptables -I web 1 -s 10.9.9.9 -j DROP
iptables -A web -j DROP
iptables -D web -j DROP
$IPT -A INPUT -j DROP
iptables -A INPUT -s $LAN -j ACCEPT
iptables -A INPUT \
	-p udp --dport 53 \
	-j ACCEPT
iptables -A OUTPUT -j NOWHERE
ufw enable
