import type {SearchServer} from '../../atom/search-servers.ts';
import {AtomctlError} from '../../errors.ts';
import {unresolvedHint} from '../../service-name.ts';
import {askSearchServer} from '../evidence/search-engine.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {critical, healthy, NotAvailable, type Outcome, warning} from '../finding.ts';

/** The search engine, which imports, exports and updates of the index need. */
export const SEARCH_CHECKS: readonly Check[] = [
  {id: 'search-engine', title: 'Search engine', run: checkSearchEngine},
];

async function checkSearchEngine({access}: SiteEvidence): Promise<Outcome> {
  if (access.root === null) throw new NotAvailable('No AtoM installation was found: give --atom-root.');
  let servers: SearchServer[];
  try {
    servers = await access.searchServers();
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    const consequence = 'atomctl could not check if the search engine answers.';
    return warning({
      evidence: error.message,
      consequence,
      remedy: error.hint ?? 'Correct the servers in search.yml.',
    });
  }
  if (servers.length === 0) throw new NotAvailable('No search.yml of this site has a search server.');
  const asked = await Promise.all(
    servers.map(async (server) => ({server, answer: await askSearchServer(server, access.timeoutSeconds)})),
  );
  const silent = asked.flatMap(({server, answer}) => (answer.answers ? [] : [{server, ...answer}]));
  const [first] = silent;
  if (first === undefined) {
    const texts = asked.map(({server, answer}) => {
      const version = answer.answers ? answer.version : null;
      return `${nameOf(server)} answers${version === null ? ' and asks for a login' : `, version ${version}`}`;
    });
    return healthy(`${texts.join('; ')}.`);
  }
  const check = `Check the server in ${first.server.origin}, and the name servers of this machine.`;
  const fault = {
    evidence: silent.map(({server, reason}) => `${nameOf(server)}: ${reason}.`).join(' '),
    consequence:
      'Searching and browsing fail in AtoM, and jobs that read or update the index fail: imports, exports, moves.',
    remedy: first.unresolved
      ? unresolvedHint(first.server.host, {
          published: 'its address only to AtoM; to skip this check: --skip search-engine',
          check,
        })
      : `${access.commands.startSearchEngine}; its address is in ${first.server.origin}`,
  };
  return silent.length === asked.length ? critical(fault) : warning(fault);
}

function nameOf({host, port}: SearchServer): string {
  return `The search engine at ${host.includes(':') ? `[${host}]` : host}:${port}`;
}
