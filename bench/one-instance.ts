/** The configuration of the benches that look at one virtual router: version 3, one address. */

export const vip = '172.16.80.100'

/** `advertInt` in seconds. */
export const oneInstance = (priority: number, advertInt: number): string => `
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int ${advertInt}
  virtual_ipaddress {
    ${vip}/24
  }
}
`
