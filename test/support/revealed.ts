import type {Secret} from '../../src/secret.ts';

/** A database's settings with the password as text: two Secrets look equal to an assertion, whatever they hold. */
export function revealed<T extends {password?: Secret}>(config: T) {
  return config.password === undefined ? config : {...config, password: config.password.reveal()};
}
