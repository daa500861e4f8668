export declare const TYPE: Record<'JOB_CREATED' | 'SUBMIT_JOB_BG', number>;

export interface GearmanConnection {
  send(type: number, ...fields: string[]): void;
  receive(): Promise<{type: number; fields: string[]} | null>;
  close(): void;
}

export declare function connectGearman(endpoint: string): Promise<GearmanConnection>;
