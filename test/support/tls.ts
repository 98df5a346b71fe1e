/**
 * A self-signed certificate for partner.example, *.partner.example and 127.0.0.1, valid from 2020 to 2099. The key is
 * public by being here: it protects nothing but these tests.
 */
export const testKey = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAzXbdd4Mco0N7Mks
jZVQzRF24MLtIFaD7nAwmbhzTiGhRANCAATkyDq/H85qBI1vtNCXePeykbPkc/gH
yVmFpwtJVT/47nOvsmjCbVXbFYcSHxXaiqeu93SX/Dg1vmB8Bq0W1isH
-----END PRIVATE KEY-----
`;

export const testCertificate = `
-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9wYXJ0bmVy
LmV4YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjA5OTEyMzEyMzU5NTlaMBoxGDAW
BgNVBAMMD3BhcnRuZXIuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BOTIOr8fzmoEjW+00Jd497KRs+Rz+AfJWYWnC0lVP/juc6+yaMJtVdsVhxIfFdqK
p673dJf8ODW+YHwGrRbWKwejVjBUMDMGA1UdEQQsMCqCD3BhcnRuZXIuZXhhbXBs
ZYIRKi5wYXJ0bmVyLmV4YW1wbGWHBH8AAAEwHQYDVR0OBBYEFIyVpryLfWBx31ID
ie4dtZZM19dAMAoGCCqGSM49BAMCA0cAMEQCIBYyLiFasAK4FHOq0LIfuWF0/Jke
/bjwUlkvIfDGFNMAAiAt6woUlNC5r0gguGf3DshGHG9gCh8c2LTAPaHANHjvwQ==
-----END CERTIFICATE-----
`;
